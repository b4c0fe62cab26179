#include "sdk/cli/commands/commands.h"
#include "sdk/cli/serve.h"

namespace kvasir::cli {

std::vector<Command> AllCommands() {
  return {RememberCommand(),   RecallCommand(), AskCommand(),     ForgetCommand(),
          ListCommand(),       GetCommand(),    UpdateCommand(),  HistoryCommand(),
          ImportCommand(),     ExportCommand(), EvalCommand(),    StatsCommand(),
          VerifyCommand(),     BackupCommand(), RestoreCommand(), CompactCommand(),
          ReencodeCommand(),   DoctorCommand(), ModelCommand(),   ConfigCommand(),
          CompletionCommand(), ServeCommand(),  KeyCommand(),     McpCommand()};
}

}  // namespace kvasir::cli
