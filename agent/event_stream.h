// Server-sent events, as far as chat endpoints send them.
#ifndef KVASIR_AGENT_EVENT_STREAM_H_
#define KVASIR_AGENT_EVENT_STREAM_H_

#include <functional>
#include <string>
#include <string_view>

namespace kvasir::agent {

/// Cuts a byte stream into the data of its events. Lines end with LF or CRLF; an event ends with an
/// empty line; several data lines are joined by LF; other fields and comments are passed over.
class EventStream {
 public:
  explicit EventStream(std::function<void(const std::string&)> on_data)
      : on_data_(std::move(on_data)) {}

  /// False when one event grows past 1 MiB: that is no chat.
  bool Push(std::string_view bytes);
  /// The end of the stream: an event without its empty line still counts.
  void Finish();

 private:
  void Line(std::string_view line);

  std::function<void(const std::string&)> on_data_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_EVENT_STREAM_H_
