// What a request and an answer are inside http/, whatever library carries them.
#ifndef HTTP_MESSAGE_H_
#define HTTP_MESSAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::http {

struct HeaderField {
  std::string name;  ///< Lower case in requests.
  std::string value;
};

/// The head of a request after every check: nothing in it is repeated, folded or malformed.
struct RequestHead {
  std::string method;                                      ///< GET, HEAD, POST, PUT, …
  std::vector<std::string> path;                           ///< Decoded segments, UTF-8.
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded, in order.
  std::vector<HeaderField> headers;
  int minor_version = 1;  ///< HTTP/1.x.
  std::uint64_t content_length = 0;

  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
};

/// The body as it comes in, never more than its Content-Length. Thread-compatible.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  virtual std::uint64_t remaining() const = 0;
  /// Fills the front of `into` and says how much; 0 only at the end. Errors: kUnavailable when the
  /// client stops sending or sends too slowly.
  virtual Result<std::size_t> Read(std::span<char> into) = 0;
};

/// All that is left of `body`, which its caller has bounded.
Result<std::string> ReadAll(BodyReader& body);

struct Request {
  RequestHead head;
  BodyReader* body = nullptr;  ///< Lives as long as the request is handled.
  std::string id;              ///< Names this request in answers and logs.
  std::string remote;          ///< Address of the other end of the socket, never from a header.
  std::stop_token gone;        ///< Asked when the client has closed its side or the server drains.
};

/// Where a streamed answer goes.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// False: the client is gone or reads too slowly; stop.
  virtual bool Write(std::string_view bytes) = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<HeaderField> headers;
  std::string body;
  std::shared_ptr<void> hold;  ///< Let go when the answer was sent, or nobody takes it any more.
  /// Set: called after the head was sent, instead of sending `body`.
  std::function<void(ResponseSink&)> stream;
};

}  // namespace kvasir::http

#endif  // HTTP_MESSAGE_H_
