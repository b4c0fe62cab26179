#include "model/repetition.h"

#include <algorithm>
#include <cstddef>

namespace kvasir::model {
namespace {

constexpr std::size_t kLongestPeriod = 64;
constexpr std::size_t kLeastTokens = 12;

}  // namespace

bool EndsInLoop(std::span<const std::int32_t> tokens) {
  for (std::size_t period = 1; period <= std::min(kLongestPeriod, tokens.size() / 3); ++period) {
    // So many copies that the loop is seen: three, more of a short one.
    const std::size_t copies = std::max<std::size_t>(3, (kLeastTokens + period - 1) / period);
    if (copies * period > tokens.size()) continue;
    const auto tail = tokens.last(copies * period);
    if (std::equal(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(period),
                   tail.begin() + static_cast<std::ptrdiff_t>(period))) {
      return true;
    }
  }
  return false;
}

}  // namespace kvasir::model
