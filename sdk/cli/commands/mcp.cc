// kvasir mcp: the memories as tools of an agent, over standard input and output.
#include <memory>
#include <ostream>
#include <string>

#include "http/mcp/line_server.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/line_reader.h"
#include "sdk/cli/reasoner_flags.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

/// The agent sees one space, that of --space; all of them with '*', as keys do.
http::mcp::ProtocolOptions OptionsOf(Memory& memory, bool read_only, Session& session) {
  http::mcp::ProtocolOptions options{.memory = memory, .principal = {}};
  options.principal.space = session.space();
  options.read_only = read_only;
  options.log = [&output = session.output()](std::string_view line) { output.Warn(line); };
  return options;
}

struct McpFlags {
  bool read_only = false;
  ReasonerFlags reasoner;
};

Status Serve(const McpFlags& flags, Session& session) {
  const bool read_only = flags.read_only;
  session.SetReasoner(flags.reasoner.url, flags.reasoner.model, flags.reasoner.key_file);
  KVASIR_ASSIGN_OR_RETURN(
      const auto memory, session.Open(read_only ? Access::kRead : Access::kCreate, Model::kNeeded));
  if (session.host().in_is_terminal) {
    session.output().Note("speaks MCP on standard input; docs/mcp.md says how agents start it");
  }
  const http::mcp::Protocol protocol(OptionsOf(*memory, read_only, session));
  LineReader reader(session.host().in);
  std::ostream& out = *session.host().out;
  http::mcp::LineServer server(
      protocol,
      [&reader]() -> std::optional<http::mcp::Line> {
        http::mcp::Line line;
        if (!reader.Next(&line.text)) return std::nullopt;
        line.too_long = reader.too_long();
        return line;
      },
      [&out](std::string_view line) { (out << line).flush(); });
  server.Run(session.stop());
  return Status::Ok();
}

}  // namespace

Command McpCommand() {
  auto flags = std::make_shared<McpFlags>();
  Command command;
  command.name = "mcp";
  command.summary = "Serve the Model Context Protocol on standard input and output";
  command.options = {{"read-only", "", "Only the tools that read; the store must be there",
                      ToSwitch(&flags->read_only), OptionKind::kSwitch}};
  AddReasonerOptions(&flags->reasoner, &command.options);
  command.run = [flags](Session& session) { return Serve(*flags, session); };
  return command;
}

}  // namespace kvasir::cli
