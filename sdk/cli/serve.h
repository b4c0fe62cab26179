// kvasir serve and kvasir key: the service and who may use it.
#ifndef SDK_CLI_SERVE_H_
#define SDK_CLI_SERVE_H_

#include "sdk/cli/command.h"

namespace kvasir::cli {

Command ServeCommand();
Command KeyCommand();

}  // namespace kvasir::cli

#endif  // SDK_CLI_SERVE_H_
