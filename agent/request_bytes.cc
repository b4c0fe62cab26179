#include "agent/request_bytes.h"

#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kvasir::agent {
namespace {

// Each part says how long it is, so that no two requests run together to the same bytes.
class Writer {
 public:
  void Number(std::uint64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Text(std::string_view text) {
    Number(text.size());
    bytes_.append(text);
  }
  void Time(const std::optional<Timestamp>& time) {
    Number(time ? 1 : 0);
    if (time) Number(static_cast<std::uint64_t>(time->time_since_epoch().count()));
  }
  void Value(const MetadataValue& value) {
    Number(value.index());
    std::visit([this](const auto& held) { Held(held); }, value);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  void Held(std::nullptr_t) {}
  void Held(bool value) { Number(value ? 1 : 0); }
  void Held(std::int64_t value) { Number(static_cast<std::uint64_t>(value)); }
  void Held(double value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void Held(const std::string& text) { Text(text); }
  void Held(const std::vector<std::string>& list) {
    Number(list.size());
    for (const std::string& text : list) Text(text);
  }

  std::string bytes_;
};

}  // namespace

std::string RequestBytes(const RememberRequest& request) {
  Writer out;
  for (const std::string_view text :
       {std::string_view(request.id), std::string_view(request.title),
        std::string_view(request.text), std::string_view(request.session),
        std::string_view(request.user_id), std::string_view(request.agent_id),
        std::string_view(request.provenance.channel),
        std::string_view(request.provenance.source)}) {
    out.Text(text);
  }
  out.Number(static_cast<std::uint64_t>(request.provenance.trust));
  out.Time(request.expires_at);
  out.Time(request.valid_from);
  out.Time(request.valid_to);
  out.Number(request.messages.size());
  for (const Message& message : request.messages) {
    out.Text(message.role);
    out.Text(message.name);
    out.Text(message.content);
    out.Time(message.time);
  }
  out.Number(request.metadata.size());
  for (const auto& [key, value] : request.metadata) {
    out.Text(key);
    out.Value(value);
  }
  return out.Take();
}

}  // namespace kvasir::agent
