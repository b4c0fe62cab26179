#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

// Float32 row by row, as the method defines it (msa.md §3.4), so that every backend agrees.
void MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out) {
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (std::int64_t i = 0; i < x.cols; ++i) {
      float sum = 0;
      for (std::int64_t t = 0; t < runs[r].count; ++t) {
        sum += x.data[(runs[r].begin + t) * x.stride + i];
      }
      out.data[static_cast<std::int64_t>(r) * out.stride + i] =
          sum / static_cast<float>(runs[r].count);
    }
  }
}

}  // namespace kvasir::compute::reference
