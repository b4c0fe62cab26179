#include <algorithm>
#include <cmath>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void Unit(Rows x, std::int64_t group) {
  for (std::int64_t t = 0; t < x.rows; ++t) {
    for (std::int64_t begin = 0; begin < x.cols; begin += group) {
      float* values = x.data + t * x.stride + begin;
      double squares = 0;
      for (std::int64_t i = 0; i < group; ++i) squares += double{values[i]} * double{values[i]};
      const double norm = std::max(std::sqrt(squares), 1e-12);
      for (std::int64_t i = 0; i < group; ++i) {
        values[i] = static_cast<float>(double{values[i]} / norm);
      }
    }
  }
}

}  // namespace kvasir::compute::reference
