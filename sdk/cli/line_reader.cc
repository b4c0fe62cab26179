#include "sdk/cli/line_reader.h"

namespace kvasir::cli {

bool LineReader::Next(std::string* line) {
  line->clear();
  too_long_ = false;
  std::streambuf* buffer = stream_->rdbuf();
  constexpr int kEnd = std::char_traits<char>::eof();
  int next = buffer->sbumpc();
  if (next == kEnd) return false;
  ++number_;
  for (; next != kEnd && next != '\n'; next = buffer->sbumpc()) {
    ++bytes_;
    if (line->size() == kMaxMemoryBytes) too_long_ = true;
    if (!too_long_) *line += static_cast<char>(next);
  }
  bytes_ += next == '\n' ? 1 : 0;
  if (line->ends_with('\r')) line->pop_back();
  if (too_long_) line->clear();
  return true;
}

}  // namespace kvasir::cli
