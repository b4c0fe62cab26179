// kvasir config show: every setting and where it came from.
#include <memory>

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

}  // namespace

Command ConfigCommand() {
  struct Config {
    std::vector<std::string> words;
    bool origin = false;
  };
  auto config = std::make_shared<Config>();
  Command command;
  command.name = "config";
  command.summary = "Show the settings: show --origin";
  command.arguments = {"ACTION", "show", &config->words, 1, 1};
  command.options = {{"origin", "", "say where each value came from", ToSwitch(&config->origin),
                      OptionKind::kSwitch, "", true}};
  command.run = [config](Session& session) -> Status {
    if (config->words.front() != "show") {
      return InvalidArgument(Format("'{}' is none of: show", config->words.front()));
    }
    return Show(config->origin, session);
  };
  return command;
}

}  // namespace kvasir::cli
