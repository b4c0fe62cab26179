#include <cmath>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void SiluMul(ConstRows gate, ConstRows up, Rows y) {
  for (std::int64_t t = 0; t < gate.rows; ++t) {
    for (std::int64_t i = 0; i < gate.cols; ++i) {
      const double g = gate.data[t * gate.stride + i];
      const double u = up.data[t * up.stride + i];
      y.data[t * y.stride + i] = static_cast<float>(g / (1.0 + std::exp(-g)) * u);
    }
  }
}

}  // namespace kvasir::compute::reference
