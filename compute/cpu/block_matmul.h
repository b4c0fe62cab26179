// y = x · Wᵀ over block-quantised weights: activations to 15 bits per block, integer products.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_MATMUL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_MATMUL_H_

#include <cstdint>

#include "compute/backend.h"
#include "compute/cpu/block_weights.h"
#include "compute/cpu/growing_array.h"
#include "compute/cpu/kernels.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// One per stream: keeps its workspace between calls.
class BlockMatMul {
 public:
  BlockMatMul(const Kernels& kernels, int threads) : kernels_(kernels), threads_(threads) {}

  /// y [T, out] = x [T, in] · Wᵀ, or +=. Against exact products of the same weights, each input is
  /// off by at most max|x of its block| / 32512. Cost: the weights are read once per 128 rows.
  Status Multiply(ConstRows x, const BlockWeights& w, Rows y, bool accumulate);

 private:
  bool Reserve(std::int64_t rows, std::int64_t blocks, int threads);

  const Kernels& kernels_;
  int threads_;
  GrowingArray<std::int16_t> codes_;
  GrowingArray<float> scales_;
  GrowingArray<float> sums_;
  GrowingArray<std::int16_t> scratch_;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_MATMUL_H_
