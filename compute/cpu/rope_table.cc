#include "compute/cpu/rope_table.h"

#include <algorithm>
#include <cmath>

namespace kvasir::compute::cpu {

void RopeTable::Prepare(std::span<const float> inverse_frequencies,
                        std::span<const std::int32_t> positions) {
  if (std::ranges::equal(inverse_frequencies, frequencies_) &&
      std::ranges::equal(positions, positions_)) {
    return;
  }
  frequencies_.assign(inverse_frequencies.begin(), inverse_frequencies.end());
  positions_.assign(positions.begin(), positions.end());
  cosines_.clear();
  sines_.clear();
  for (const std::int32_t position : positions) {
    for (const float frequency : frequencies_) {
      const double angle = double{frequency} * position;
      cosines_.push_back(static_cast<float>(std::cos(angle)));
      sines_.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

}  // namespace kvasir::compute::cpu
