#include "agent/event_stream.h"

#include <utility>

namespace kvasir::agent {
namespace {

constexpr std::size_t kMostEventBytes = std::size_t{1} << 20;

}  // namespace

bool EventStream::Push(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (line_.size() + data_.size() > kMostEventBytes) return false;
    if (end == std::string_view::npos) return true;
    bytes.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    Line(std::exchange(line_, {}));
  }
  return true;
}

void EventStream::Finish() {
  if (!line_.empty()) Line(std::exchange(line_, {}));
  Line("");
}

void EventStream::Line(std::string_view line) {
  if (line.empty()) {
    if (has_data_) on_data_(std::exchange(data_, {}));
    has_data_ = false;
    return;
  }
  if (!line.starts_with("data:")) return;
  line.remove_prefix(5);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
}

}  // namespace kvasir::agent
