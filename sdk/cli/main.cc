// The `kvasir` command.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "sdk/cli/command_line.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/stdin_buffer.h"

int main(int argc, char** argv) {
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
