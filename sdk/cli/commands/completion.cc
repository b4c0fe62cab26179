// kvasir completion: what a shell needs to complete commands and flags.
#include <memory>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

std::string Flags(const std::vector<Option>& options) {
  std::string flags;
  for (const Option& option : options) flags += " --" + option.name;
  return flags;
}

std::string Quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return "'" + text + "'";
}

/// Bash and zsh (through bashcompinit) share one function.
std::string BashFunction(const std::vector<Command>& commands, const std::string& common) {
  std::string names;
  std::string cases;
  for (const Command& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    cases += Format("    {}) flags='{}' ;;\n", command.name,
                    Flags(command.options).substr(command.options.empty() ? 0 : 1));
  }
  return Format(
      "_kvasir() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" flags=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '{}' -- \"$word\")); return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  case \"$word\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$flags{}\" -- \"$word\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -F _kvasir kvasir\n",
      names, cases, common);
}

std::string FishScript(const std::vector<Command>& commands, const std::vector<Option>& common) {
  const auto flag = [](const std::string& where, const Option& option) {
    return Format("complete -c kvasir{} -l {}{} -d {}\n", where, option.name,
                  option.kind == OptionKind::kSwitch ? "" : " -r", Quoted(option.help));
  };
  std::string script;
  for (const Command& command : commands) {
    script += Format("complete -c kvasir -n __fish_use_subcommand -a {} -d {}\n", command.name,
                     Quoted(command.summary));
    const std::string where = Format(" -n '__fish_seen_subcommand_from {}'", command.name);
    for (const Option& option : command.options) script += flag(where, option);
  }
  for (const Option& option : common) script += flag("", option);
  return script;
}

Status Print(const std::string& shell, Session& session) {
  const std::vector<Command> commands = AllCommands();
  Settings unused;
  const std::vector<Option> common = CommonOptions(&unused);
  std::string script;
  if (shell == "bash") {
    script = BashFunction(commands, Flags(common));
  } else if (shell == "zsh") {
    script =
        "autoload -U +X bashcompinit && bashcompinit\n" + BashFunction(commands, Flags(common));
  } else if (shell == "fish") {
    script = FishScript(commands, common);
  } else {
    return InvalidArgument(Format("'{}' is none of: bash, zsh, fish", shell));
  }
  Output& output = session.output();
  output.Piece(output.human() ? script : Dump({{"shell", shell}, {"script", script}}) + "\n");
  return Status::Ok();
}

}  // namespace

Command CompletionCommand() {
  auto shells = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "completion";
  command.summary = "Print completions for a shell: bash, zsh, fish";
  command.arguments = {"SHELL", "bash, zsh or fish", shells.get(), 1, 1};
  command.run = [shells](Session& session) { return Print(shells->front(), session); };
  return command;
}

}  // namespace kvasir::cli
