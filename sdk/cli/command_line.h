// From words to a finished command.
#ifndef SDK_CLI_COMMAND_LINE_H_
#define SDK_CLI_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "sdk/cli/command.h"
#include "sdk/cli/exit_code.h"
#include "sdk/cli/host.h"
#include "sdk/cli/settings.h"

namespace kvasir::cli {

/// What the words say. The one door to CLI11 makes it.
struct ParsedLine {
  const Command* command = nullptr;  ///< nullptr: `text` (help, version) is all there is to do.
  GivenFlags flags;
  std::vector<std::string> arguments;
  std::string text;
};

/// `words` without the program's name. Errors (kInvalidArgument) name the word at fault.
Result<ParsedLine> ParseWords(const std::vector<std::string>& words,
                              const std::vector<Command>& commands,
                              const std::vector<Option>& common);

/// Runs the command that `words` ask for. Every failure is one line on the host's error stream.
ExitCode RunCommandLine(const std::vector<std::string>& words, const Host& host);

}  // namespace kvasir::cli

#endif  // SDK_CLI_COMMAND_LINE_H_
