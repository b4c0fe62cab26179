#include "agent/quote.h"

#include <algorithm>
#include <cstddef>

#include "agent/excerpt.h"
#include "agent/segmenter.h"

namespace kvasir::agent {
namespace {

constexpr std::size_t kQuoteBytes = 240;

}  // namespace

bool LeavesUnsaid(std::string_view reply) {
  const std::string_view said = Trimmed(reply);
  return said.empty() || said.back() == ':';
}

std::string Quote(std::string_view question, std::span<const Passage> passages) {
  const auto best = std::ranges::max_element(passages, {}, &Passage::score);
  if (best == passages.end()) return {};
  const Span part = Excerpt(best->text, question, kQuoteBytes);
  std::string quote(
      Trimmed(std::string_view(best->text).substr(part.begin, part.end - part.begin)));
  std::ranges::replace(quote, '\n', ' ');
  return quote;
}

}  // namespace kvasir::agent
