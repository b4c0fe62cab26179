#include <cmath>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions) {
  const std::int64_t half = spec.rotary_dim / 2;
  for (std::int64_t t = 0; t < x.rows; ++t) {
    const double position = positions[static_cast<std::size_t>(t)];
    for (std::int64_t begin = 0; begin < x.cols; begin += spec.head_dim) {
      float* head = x.data + t * x.stride + begin;
      for (std::int64_t i = 0; i < half; ++i) {
        const double angle =
            position * double{spec.inverse_frequencies[static_cast<std::size_t>(i)]};
        float& first = head[spec.interleaved ? 2 * i : i];
        float& second = head[spec.interleaved ? 2 * i + 1 : i + half];
        const double a = first;
        const double b = second;
        first = static_cast<float>(a * std::cos(angle) - b * std::sin(angle));
        second = static_cast<float>(b * std::cos(angle) + a * std::sin(angle));
      }
    }
  }
}

}  // namespace kvasir::compute::reference
