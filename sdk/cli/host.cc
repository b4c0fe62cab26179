#include "sdk/cli/host.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace kvasir::cli {

namespace {

OpenOptions WithWarnings(OpenOptions options) {
  options.on_warning = [](std::string_view line) {
    std::cerr << "kvasir: warning: " << line << '\n';
  };
  return options;
}

}  // namespace

Host ProcessHost(std::stop_token stop) {
  Host host;
  host.in = &std::cin;
  host.out = &std::cout;
  host.err = &std::cerr;
  host.in_is_terminal = isatty(STDIN_FILENO) == 1;
  host.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  host.err_is_terminal = isatty(STDERR_FILENO) == 1;
  host.stop = std::move(stop);
  std::error_code unknown;
  host.executable = std::filesystem::read_symlink("/proc/self/exe", unknown);
  host.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  host.open = [](const std::string& path, const OpenOptions& options) {
    return Memory::Open(path, WithWarnings(options));
  };
  host.open_temporary = [](const OpenOptions& options) {
    return Memory::InMemory(WithWarnings(options));
  };
  return host;
}

}  // namespace kvasir::cli
