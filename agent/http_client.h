// The one door to the network: an HTTP POST whose answer streams. Everything of libcurl is in the
// source file.
#ifndef KVASIR_AGENT_HTTP_CLIENT_H_
#define KVASIR_AGENT_HTTP_CLIENT_H_

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::agent {

struct HttpPost {
  std::string url;                   ///< http or https; nothing else is spoken.
  std::vector<std::string> headers;  ///< "Name: value"; no line ends.
  std::string body;
  std::chrono::milliseconds connect_timeout_ms{10'000};
  std::chrono::milliseconds idle_timeout_ms{120'000};  ///< Longest silence, in whole seconds.
  std::stop_token stop;                                ///< Asked about every second, and at data.
  /// Pieces of the answer's body as they come, whatever the status; false ends the call with
  /// kUnavailable.
  std::function<bool(std::string_view)> on_body;
};

/// Sends and waits. The answer's HTTP status, 200 or not; redirects are not followed, cookies not
/// kept, TLS certificates checked. Errors: kUnavailable (name, connection, TLS, silence) with
/// libcurl's words, kCancelled. Thread-safe.
Result<int> Post(const HttpPost& request);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_HTTP_CLIENT_H_
