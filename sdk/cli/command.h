// A command of `kvasir`: its name, flags, and what it does.
#ifndef SDK_CLI_COMMAND_H_
#define SDK_CLI_COMMAND_H_

#include <functional>
#include <string>
#include <vector>

#include "kvasir/status.h"
#include "sdk/cli/option.h"

namespace kvasir::cli {

class Session;

struct Command {
  std::string name;
  std::string summary;
  Arguments arguments;
  std::vector<Option> options;
  /// Does the work; a failure becomes one line on standard error and its exit code.
  std::function<Status(Session&)> run;
};

/// Every command, in the order of the help.
std::vector<Command> AllCommands();

}  // namespace kvasir::cli

#endif  // SDK_CLI_COMMAND_H_
