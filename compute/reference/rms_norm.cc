#include <cmath>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y) {
  const std::int64_t n = weight.cols;
  for (std::int64_t t = 0; t < x.rows; ++t) {
    for (std::int64_t begin = 0; begin < x.cols; begin += n) {
      const float* from = x.data + t * x.stride + begin;
      float* to = y.data + t * y.stride + begin;
      double squares = 0;
      for (std::int64_t i = 0; i < n; ++i) squares += double{from[i]} * double{from[i]};
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + double{eps});
      for (std::int64_t i = 0; i < n; ++i) {
        to[i] = static_cast<float>(double{weight.data[i]} * double{from[i]} * factor);
      }
    }
  }
}

}  // namespace kvasir::compute::reference
