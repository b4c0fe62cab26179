// Ctrl-C and SIGTERM as a stop token.
#ifndef SDK_CLI_INTERRUPT_H_
#define SDK_CLI_INTERRUPT_H_

#include <stop_token>

namespace kvasir::cli {

/// From construction on, the first SIGINT or SIGTERM asks for a stop (what was committed stays) and
/// the second one ends the process at once with exit code 130. Make it first in main(): threads
/// started earlier would not have the signals blocked. Lives until the process ends.
std::stop_token StopOnSignals();

}  // namespace kvasir::cli

#endif  // SDK_CLI_INTERRUPT_H_
