#include "sdk/cli/stdin_buffer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace kvasir::cli {

StdinBuffer::int_type StdinBuffer::underflow() {
  constexpr int kLookForStopEveryMs = 100;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (!stop_.stop_requested()) {
    const int ready = poll(&input, 1, kLookForStopEveryMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = read(STDIN_FILENO, bytes_.data(), bytes_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
    return traits_type::to_int_type(bytes_[0]);
  }
  return traits_type::eof();
}

}  // namespace kvasir::cli
