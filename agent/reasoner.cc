#include "agent/reasoner.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "agent/event_stream.h"
#include "agent/http_client.h"

namespace kvasir::agent {
namespace {

using nlohmann::json;

constexpr std::string_view kPath = "/chat/completions";
constexpr std::size_t kMostErrorBytes = 4096;
constexpr std::size_t kMostPlainBytes = std::size_t{4} << 20;

Result<std::string> ReadKey(const std::string& file) {
  if (file.empty()) {
    const char* key = std::getenv("KVASIR_REASONER_KEY");
    return std::string(key == nullptr ? "" : key);
  }
  std::ifstream stream(file);
  std::string key;
  if (!stream || !std::getline(stream, key)) return NotFound("no reasoner key in " + file);
  if (key.ends_with('\r')) key.pop_back();
  return key;
}

std::string BodyOf(const ReasonerRequest& request, const std::string& model) {
  json messages = json::array();
  for (const ReasonerMessage& message : request.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  json body = {{"messages", std::move(messages)},
               {"stream", true},
               {"max_tokens", request.max_new_tokens},
               {"temperature", request.temperature},
               {"top_p", request.top_p},
               {"seed", request.seed & 0x7FFFFFFF}};  // Some endpoints read 32 bits.
  if (!model.empty()) body["model"] = model;
  if (!request.stop.empty()) body["stop"] = request.stop;
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A member of a foreign object, null when it is not there or not what it should be.
const json* Member(const json* object, const char* key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

std::string Words(const json* value) {
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::uint32_t Count(const json* value) {
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint32_t>() : 0;
}

// Follows one answer: streamed events, or one plain JSON object from an endpoint that cannot
// stream.
class AnswerReader {
 public:
  explicit AnswerReader(const ReasonerRequest& request)
      : request_(request), events_([this](const std::string& data) { Event(data); }) {}

  bool Push(std::string_view bytes) {
    if (plain_.size() < kMostPlainBytes) plain_ += bytes;
    return events_.Push(bytes) && !request_.stop_token.stop_requested();
  }

  Result<ReasonerAnswer> Finish(int status, const ReasonerOptions& options) {
    if (status == 401 || status == 403) {
      return PermissionDenied(options.url + " refused the key (HTTP " + std::to_string(status) +
                              "): " + ErrorText());
    }
    if (status != 200) {
      return Unavailable(options.url + " answered HTTP " + std::to_string(status) + ": " +
                         ErrorText());
    }
    events_.Finish();
    if (!streamed_) Plain();
    if (error_) return Unavailable(options.url + ": " + *error_);
    if (!answered_) return Unavailable(options.url + ": the answer is not a chat completion");
    if (answer_.model.empty()) answer_.model = options.model;
    return std::move(answer_);
  }

 private:
  void Event(const std::string& data) {
    if (data == "[DONE]") return;
    streamed_ = true;
    Read(json::parse(data, nullptr, /*allow_exceptions=*/false), "delta");
  }

  void Plain() {
    const json object = json::parse(plain_, nullptr, /*allow_exceptions=*/false);
    Read(object, "message");
  }

  void Read(const json& object, const char* part) {
    if (const json* error = Member(&object, "error")) {
      const std::string words = Words(Member(error, "message"));
      error_ = words.empty() ? "the endpoint reports an error" : words.substr(0, kMostErrorBytes);
    }
    if (const std::string model = Words(Member(&object, "model")); !model.empty()) {
      answer_.model = model;
    }
    if (const json* usage = Member(&object, "usage")) {
      answer_.prompt_tokens = Count(Member(usage, "prompt_tokens"));
      usage_tokens_ = Count(Member(usage, "completion_tokens"));
    }
    const json* choices = Member(&object, "choices");
    if (choices == nullptr || !choices->is_array()) return;
    answered_ = true;
    if (!choices->empty()) Text(Words(Member(Member(&choices->front(), part), "content")));
    if (usage_tokens_ > 0) answer_.new_tokens = usage_tokens_;
  }

  void Text(const std::string& piece) {
    if (piece.empty()) return;
    ++answer_.new_tokens;
    answer_.text += piece;
    if (request_.on_text) request_.on_text(piece);
  }

  std::string ErrorText() const {
    const json object = json::parse(plain_, nullptr, /*allow_exceptions=*/false);
    const std::string words = Words(Member(Member(&object, "error"), "message"));
    if (!words.empty()) return words.substr(0, kMostErrorBytes);
    return plain_.empty() ? "no explanation" : plain_.substr(0, 200);
  }

  const ReasonerRequest& request_;
  EventStream events_;
  std::string plain_;
  bool streamed_ = false;
  bool answered_ = false;
  std::optional<std::string> error_;
  std::uint32_t usage_tokens_ = 0;
  ReasonerAnswer answer_;
};

}  // namespace

Result<std::unique_ptr<Reasoner>> Reasoner::Make(const ReasonerOptions& options) {
  ReasonerOptions checked = options;
  if (!checked.url.starts_with("http://") && !checked.url.starts_with("https://")) {
    return InvalidArgument("reasoner url: must begin with http:// or https://, is \"" +
                           checked.url + "\"");
  }
  while (checked.url.ends_with('/')) checked.url.pop_back();
  if (!checked.url.ends_with(kPath)) checked.url += kPath;
  KVASIR_ASSIGN_OR_RETURN(std::string key, ReadKey(options.key_file));
  return std::unique_ptr<Reasoner>(new Reasoner(std::move(checked), std::move(key)));
}

Result<ReasonerAnswer> Reasoner::Answer(const ReasonerRequest& request) const {
  AnswerReader reader(request);
  HttpPost post;
  post.url = options_.url;
  post.headers = {"Content-Type: application/json", "Accept: text/event-stream"};
  if (!key_.empty()) post.headers.push_back("Authorization: Bearer " + key_);
  post.body = BodyOf(request, options_.model);
  post.connect_timeout_ms = options_.connect_timeout_ms;
  post.idle_timeout_ms = options_.idle_timeout_ms;
  post.stop = request.stop_token;
  post.on_body = [&](std::string_view bytes) { return reader.Push(bytes); };
  KVASIR_ASSIGN_OR_RETURN(const int status, Post(post));
  return reader.Finish(status, options_);
}

}  // namespace kvasir::agent
