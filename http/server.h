// An HTTP/1.1 server that is fit for hostile clients. cpp-httplib is behind server.cc and nowhere
// else.
#ifndef HTTP_SERVER_H_
#define HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"
#include "http/problem.h"
#include "kvasir/status.h"

namespace kvasir::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;              ///< 0: any free one, see Server::port().
  std::size_t workers = 64;  ///< Threads that run handlers; each waits most of the time.
  std::size_t queue = 512;   ///< Whole requests that may wait; then 503 with Retry-After.
  std::size_t connections =
      2048;  ///< Clients at once; less where the process may not open as many.
  std::chrono::milliseconds head_timeout{5000};  ///< For the head, and again for a small body.
};

/// Threads: Handler and Refused are called from many at once. One request per connection.
class Server {
 public:
  /// May throw: the client then gets a 500 and `refused` is told.
  using Handler = std::function<Response(Request&)>;
  /// A request that never reached the handler.
  using Refused = std::function<void(std::string_view remote, const Problem&, std::string_view id)>;

  /// Serves when it returns. Errors: kInvalidArgument for an address that is none, kUnavailable
  /// when it cannot be bound.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler,
                                               Refused refused);
  virtual ~Server() = default;

  virtual int port() const = 0;
  /// Requests that wait for a worker now.
  virtual std::size_t queued() const = 0;
  /// Takes no new clients, answers those that are here, asks what still runs after `patience` to
  /// stop, and returns when all of it has ended. True: nobody had to be stopped.
  virtual bool Drain(std::chrono::milliseconds patience) = 0;
};

/// "127.0.0.1", "::1", "localhost" and the rest of 127.0.0.0/8.
bool IsLoopback(std::string_view address);

}  // namespace kvasir::http

#endif  // HTTP_SERVER_H_
