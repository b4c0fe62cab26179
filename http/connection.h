// One client's socket and what was read from it.
#ifndef HTTP_CONNECTION_H_
#define HTTP_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace kvasir::http {

using Clock = std::chrono::steady_clock;

/// Owned by the doorkeeper; from `ready` to Finish() a worker may use it, except what is marked.
class Connection {
 public:
  Connection(int socket, std::uint64_t its_number, std::string peer)
      : fd(socket), number(its_number), remote(std::move(peer)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Stage : std::uint8_t { kHead, kBody, kServing, kFlush, kLinger };

  const int fd;                ///< Non-blocking.
  const std::uint64_t number;  ///< Names this connection in epoll: descriptors are reused.
  const std::string remote;
  RequestHead head;
  std::string input;           ///< Body bytes that were read already; before that, the head.
  std::string output;          ///< Answer to be sent by the doorkeeper after Finish().
  std::shared_ptr<void> hold;  ///< Of the answer, see Response.
  std::stop_source gone;

  // The doorkeeper's alone.
  Stage stage = Stage::kHead;
  Clock::time_point deadline;
  std::size_t scanned = 0;  ///< Bytes of `input` already looked at for the end of the head.
  std::size_t sent = 0;     ///< Bytes of `output` already sent.
};

/// Reads the body that `connection.head` announces: first what is buffered, then the socket.
class ConnectionBody final : public BodyReader {
 public:
  explicit ConnectionBody(Connection& connection);
  std::uint64_t remaining() const override { return remaining_; }
  Result<std::size_t> Read(std::span<char> into) override;

 private:
  Connection& connection_;
  std::uint64_t remaining_;
  std::size_t taken_ = 0;
  Clock::time_point deadline_;
};

/// Sends all of `bytes`; false when the client is gone or takes none for ten seconds.
bool SendAll(Connection& connection, std::string_view bytes);

/// How long `bytes` may take to cross: ten seconds and then 32 KiB/s, the slowest link served.
std::chrono::milliseconds TransferTime(std::uint64_t bytes);

}  // namespace kvasir::http

#endif  // HTTP_CONNECTION_H_
