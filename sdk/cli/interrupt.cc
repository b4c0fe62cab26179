#include "sdk/cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "sdk/cli/exit_code.h"

namespace kvasir::cli {

std::stop_token StopOnSignals() {
  static std::stop_source source;
  // A handler may not run stop callbacks (they lock); a thread that waits for the signals may.
  static sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([] {
    int received = 0;
    sigwait(&signals, &received);
    source.request_stop();
    sigwait(&signals, &received);
    _exit(static_cast<int>(ExitCode::kInterrupted));
  }).detach();
  return source.get_token();
}

}  // namespace kvasir::cli
