#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void AddBias(ConstRows bias, Rows x) {
  for (std::int64_t t = 0; t < x.rows; ++t) {
    for (std::int64_t i = 0; i < x.cols; ++i) x.data[t * x.stride + i] += bias.data[i];
  }
}

}  // namespace kvasir::compute::reference
