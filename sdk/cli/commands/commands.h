// The commands; each is made by the file of its name.
#ifndef SDK_CLI_COMMANDS_COMMANDS_H_
#define SDK_CLI_COMMANDS_COMMANDS_H_

#include "sdk/cli/command.h"

namespace kvasir::cli {

Command RememberCommand();
Command RecallCommand();
Command AskCommand();
Command ForgetCommand();
Command ListCommand();
Command GetCommand();
Command UpdateCommand();
Command HistoryCommand();
Command ImportCommand();
Command ExportCommand();
Command EvalCommand();
Command StatsCommand();
Command VerifyCommand();
Command BackupCommand();
Command RestoreCommand();
Command CompactCommand();
Command ReencodeCommand();
Command DoctorCommand();
Command McpCommand();
Command ModelCommand();
Command ConfigCommand();
Command CompletionCommand();

}  // namespace kvasir::cli

#endif  // SDK_CLI_COMMANDS_COMMANDS_H_
