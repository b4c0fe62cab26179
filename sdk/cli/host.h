// What the process gives to the command line: streams, environment, the way to a store. Passed in,
// so that tests run commands without a terminal, a model or a home folder.
#ifndef SDK_CLI_HOST_H_
#define SDK_CLI_HOST_H_

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "kvasir/memory.h"

namespace kvasir::cli {

struct Host {
  std::istream* in = nullptr;
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::stop_token stop;              ///< Asked by Ctrl-C and SIGTERM.
  std::filesystem::path executable;  ///< Helpers are found beside it (../libexec/kvasir).
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<Result<std::unique_ptr<Memory>>(const std::string& path, const OpenOptions&)> open;
  std::function<Result<std::unique_ptr<Memory>>(const OpenOptions&)> open_temporary;
};

/// The host of a real process: std::cin, std::cout, std::cerr, getenv, Memory::Open.
Host ProcessHost(std::stop_token stop);

}  // namespace kvasir::cli

#endif  // SDK_CLI_HOST_H_
