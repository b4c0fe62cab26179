#include "sdk/cli/command_line.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "sdk/cli/format.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

/// Runs what `line` asks for with every setting in its place.
Status Execute(const ParsedLine& line, const std::vector<Option>& common,
               const std::vector<Command>& commands, Settings* settings, const Host& host) {
  KVASIR_ASSIGN_OR_RETURN(std::vector<Origin> origins,
                          Resolve(*line.command, common, commands, line.flags, host));
  if (settings->json && settings->json_lines) {
    return InvalidArgument("--json and --jsonl exclude each other");
  }
  Session session(host, *settings, std::move(origins));
  return line.command->run(session);
}

Status Run(const std::vector<std::string>& words, const Host& host) {
  Settings settings;
  const std::vector<Option> common = CommonOptions(&settings);
  const std::vector<Command> commands = AllCommands();
  auto parsed = ParseWords(words, commands, common);
  if (!parsed.ok()) return parsed.status().WithContext("kvasir");
  ParsedLine& line = *parsed;
  if (line.command == nullptr) {
    *host.out << line.text << (line.text.ends_with('\n') ? "" : "\n");
  } else {
    if (!line.command->arguments.name.empty()) {
      *line.command->arguments.values = std::move(line.arguments);
    }
    KVASIR_RETURN_IF_ERROR(Execute(line, common, commands, &settings, host)
                               .WithContext("kvasir " + line.command->name));
  }
  if (!host.out->flush()) return NoSpace("kvasir: standard output cannot be written to");
  return Status::Ok();
}

}  // namespace

ExitCode RunCommandLine(const std::vector<std::string>& words, const Host& host) {
  const Status status = Run(words, host);
  if (status.ok()) return ExitCode::kOk;
  std::string message = Printable(status.message());
  std::ranges::replace(message, '\n', ' ');
  (*host.err << message << '\n').flush();
  return ExitCodeOf(status.code());
}

}  // namespace kvasir::cli
