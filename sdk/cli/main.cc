// The `kvasir` command.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "sdk/cli/command_line.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/stdin_buffer.h"

namespace {

/// Threads of libgomp that wait for each other spin for about a millisecond, which takes the cores
/// from whoever else needs them, each other above all: beside busy programs remembering took 1.7
/// times as long (docs/performance.md). Tens of microseconds are as fast alone. It reads this
/// before main begins, so the command begins again; where it cannot, it goes on as it is.
void SpinBriefly(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || ::setenv("GOMP_SPINCOUNT", "10000", 1) != 0) return;
  (void)::execv(self.c_str(), argv);
}

}  // namespace

int main(int argc, char** argv) {
  SpinBriefly(argv);
  using kvasir::cli::ExitCode;
  try {
    const std::stop_token stop = kvasir::cli::StopOnSignals();
    std::ios::sync_with_stdio(false);
    kvasir::cli::StdinBuffer input(stop);
    std::istream in(&input);
    kvasir::cli::Host host = kvasir::cli::ProcessHost(stop);
    host.in = &in;
    const std::vector<std::string> words(argv + 1, argv + argc);
    return static_cast<int>(kvasir::cli::RunCommandLine(words, host));
  } catch (
      const std::exception& error) {  // Out of memory, a folder that vanished while it was walked.
    std::cerr << "kvasir: " << error.what() << '\n';
    return static_cast<int>(ExitCode::kFailed);
  }
}
