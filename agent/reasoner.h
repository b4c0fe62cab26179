// Somebody else's language model behind an OpenAI-compatible chat endpoint.
#ifndef KVASIR_AGENT_REASONER_H_
#define KVASIR_AGENT_REASONER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::agent {

struct ReasonerOptions {
  std::string url;    ///< Base ("http://127.0.0.1:11434/v1") or the whole ".../chat/completions".
  std::string model;  ///< As the endpoint calls it.
  std::string key_file;  ///< First line is the key; empty: $KVASIR_REASONER_KEY, else none.
  std::chrono::milliseconds connect_timeout_ms{10'000};
  std::chrono::milliseconds idle_timeout_ms{120'000};  ///< Without a byte from the endpoint.
};

struct ReasonerMessage {
  std::string role;
  std::string content;
};

struct ReasonerRequest {
  std::vector<ReasonerMessage> messages;
  std::uint32_t max_new_tokens = 128;
  float temperature = 0;
  float top_p = 1;
  std::uint64_t seed = 0;
  std::vector<std::string> stop;
  std::function<void(std::string_view)> on_text;  ///< Pieces as they come; whole code points.
  std::stop_token stop_token;
};

struct ReasonerAnswer {
  std::string text;
  std::string model;
  std::uint32_t prompt_tokens = 0;  ///< 0 where the endpoint does not say.
  std::uint32_t new_tokens = 0;     ///< Pieces streamed, where the endpoint does not say.
};

/// Asks over HTTP or HTTPS, streaming. Immutable, thread-safe: each call has its own connection.
class Reasoner {
 public:
  /// Reads the key. kInvalidArgument for a URL that is not http(s), kNotFound for a missing key
  /// file.
  static Result<std::unique_ptr<Reasoner>> Make(const ReasonerOptions& options);

  /// kUnavailable (no connection, silence, an error of the endpoint with its words),
  /// kPermissionDenied (401, 403), kCancelled. What was streamed before an error stands.
  Result<ReasonerAnswer> Answer(const ReasonerRequest& request) const;

  const std::string& model() const { return options_.model; }

 private:
  Reasoner(ReasonerOptions options, std::string key)
      : options_(std::move(options)), key_(std::move(key)) {}

  ReasonerOptions options_;
  std::string key_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_REASONER_H_
