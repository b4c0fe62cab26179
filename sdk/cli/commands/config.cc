// kvasir config: what is set and where it came from; a settings file to begin with.
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

Status Show(bool with_origin, Session& session) {
  Output& output = session.output();
  Json list = Json::array();
  for (const Origin& origin : session.origins()) {
    if (origin.section == "config") continue;  // Flags of this very command.
    const Json row = {{"name", origin.name}, {"value", origin.value}, {"origin", origin.from}};
    if (output.json()) list.push_back(row);
    if (output.json_lines()) output.Line(Dump(row));
    if (!output.human()) continue;
    std::string line = Format("{} = {}", origin.name, Printable(origin.value));
    if (with_origin) line = Format("{:<40} # {}", line, origin.from);
    output.Line(line);
  }
  if (output.json()) output.Line(Dump({{"settings", list}}));
  return Status::Ok();
}

/// The default as kvasir.toml would say it.
std::string TomlValue(const Option& option) {
  if (option.kind == OptionKind::kSwitch) return "false";
  if (option.kind == OptionKind::kRepeated) return "[]";
  const std::string& text = option.fallback;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? text : "\"" + text + "\"";  // No default has a quote or a backslash in it.
}

std::string Table(std::string_view name, const std::vector<Option>& options) {
  std::string lines;
  for (const Option& option : options) {
    if (option.flag_only || option.name == "config") continue;
    lines += Format("\n# {}\n# {} = {}\n", option.help, option.name, TomlValue(option));
  }
  if (lines.empty() || name.empty()) return lines;
  return Format("\n[{}]\n{}", name, lines);
}

/// Every setting of every command with its default, all commented out.
std::string Template() {
  Settings unused;
  std::string text =
      "# kvasir.toml. Read from --config FILE, else ./kvasir.toml, else "
      "~/.config/kvasir/kvasir.toml.\n"
      "# Flags and environment variables (KVASIR_TOP_K for --top-k) go before it.\n" +
      Table("", CommonOptions(&unused));
  for (const Command& command : AllCommands()) text += Table(command.name, command.options);
  return text;
}

}  // namespace

Command ConfigCommand() {
  struct Config {
    std::vector<std::string> words;
    bool origin = false;
  };
  auto config = std::make_shared<Config>();
  Command command;
  command.name = "config";
  command.summary =
      "Show the settings (show --origin), or a settings file with all of them (template)";
  command.arguments = {"ACTION", "show or template", &config->words, 1, 1};
  command.options = {{"origin", "", "say where each value came from", ToSwitch(&config->origin),
                      OptionKind::kSwitch, "", true}};
  command.run = [config](Session& session) -> Status {
    const std::string& action = config->words.front();
    if (action == "show") return Show(config->origin, session);
    if (action != "template") {
      return InvalidArgument(Format("'{}' is none of: show, template", action));
    }
    Output& output = session.output();
    output.Piece(output.human() ? Template() : Dump({{"template", Template()}}) + "\n");
    return Status::Ok();
  };
  return command;
}

}  // namespace kvasir::cli
