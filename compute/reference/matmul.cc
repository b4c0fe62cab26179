#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void MatMul(ConstRows x, ConstRows w, Rows y, bool accumulate) {
  for (std::int64_t t = 0; t < x.rows; ++t) {
    for (std::int64_t o = 0; o < w.rows; ++o) {
      const float* a = x.data + t * x.stride;
      const float* b = w.data + o * w.stride;
      double sum = 0;
      for (std::int64_t i = 0; i < w.cols; ++i) sum += double{a[i]} * double{b[i]};
      float& to = y.data[t * y.stride + o];
      to = static_cast<float>(accumulate ? double{to} + sum : sum);
    }
  }
}

}  // namespace kvasir::compute::reference
