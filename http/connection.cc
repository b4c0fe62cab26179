#include "http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kvasir::http {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// Waits for `events` until `deadline`; false when the time is up or the socket is broken.
bool WaitFor(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

Connection::~Connection() { close(fd); }

ConnectionBody::ConnectionBody(Connection& connection)
    : connection_(connection),
      remaining_(connection.head.content_length),
      deadline_(Clock::now() + TransferTime(connection.head.content_length)) {}

Result<std::size_t> ConnectionBody::Read(std::span<char> into) {
  const std::size_t wanted = std::min<std::uint64_t>(into.size(), remaining_);
  if (wanted == 0) return std::size_t{0};
  if (taken_ < connection_.input.size()) {
    const std::size_t count = std::min(wanted, connection_.input.size() - taken_);
    std::copy_n(connection_.input.data() + taken_, count, into.data());
    taken_ += count;
    remaining_ -= count;
    return count;
  }
  while (true) {
    const ssize_t count = recv(connection_.fd, into.data(), wanted, 0);
    if (count > 0) {
      remaining_ -= static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (count == 0) return Unavailable("the client closed before its body was complete");
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Unavailable("the connection broke");
    const auto patience = std::min(deadline_, Clock::now() + kPatience);
    if (!WaitFor(connection_.fd, POLLIN, patience)) {
      return Unavailable("the body came too slowly");
    }
  }
}

bool SendAll(Connection& connection, std::string_view bytes) {
  const auto deadline = Clock::now() + TransferTime(bytes.size());
  while (!bytes.empty()) {
    const ssize_t count = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (!WaitFor(connection.fd, POLLOUT, std::min(deadline, Clock::now() + kPatience))) {
      return false;
    }
  }
  return true;
}

std::chrono::milliseconds TransferTime(std::uint64_t bytes) {
  return kPatience + std::chrono::milliseconds(bytes / 32);
}

}  // namespace kvasir::http
