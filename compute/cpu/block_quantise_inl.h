// Activations to 15 bits per block of 32: scale = max|x| / 16256, code = round(x / scale). The
// error of a product is then at most max|x| / 32512 per input, 2^7 times less than bf16's, while
// the products run on integer units.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_QUANTISE_INL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_QUANTISE_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

/// 127 · 128: a code is high · 128 + low with both in a signed byte.
constexpr float kActivationSteps = 16256.0F;
/// Below this a block counts as zeros; its reciprocal would overflow.
constexpr float kTiny = 1e-30F;

float LargestMagnitude(const float* x) {
  F32 highest{};
  for (int i = 0; i < kBlock; i += kLanes) {
    const F32 v = Load(x + i);
    highest = Max(highest, Max(v, -v));
  }
  return Highest(highest);
}

/// codes[kBlock] of x[kBlock]; returns the scale, and the codes' sum in *sum.
float QuantiseBlock(const float* x, std::int32_t* codes, std::int32_t* sum) {
  const float highest = LargestMagnitude(x);
  const float inverse = highest > kTiny ? kActivationSteps / highest : 0.0F;
  constexpr float kRound = 12582912.0F;  // 1.5 · 2^23: adding it leaves no bits below one.
  I32 total{};
  for (int i = 0; i < kBlock; i += kLanes) {
    const F32 rounded = (Load(x + i) * inverse + kRound) - kRound;
    const I32 integers = __builtin_convertvector(rounded, I32);
    std::memcpy(codes + i, &integers, sizeof integers);
    total += integers;
  }
  std::int32_t all = 0;
  for (int i = 0; i < kLanes; ++i) all += total[i];
  *sum = all;
  return inverse == 0.0F ? 0.0F : highest / kActivationSteps;
}

/// `Place` writes a block's 32 codes as the kernel reads them.
template <typename Place>
void QuantiseRowAs(const float* x, std::int64_t n, std::int64_t blocks, std::int16_t* codes,
                   float* scales, float* sums, Place place) {
  for (std::int64_t b = 0; b < blocks; ++b) {
    alignas(64) float padded[kBlock] = {};
    const float* from = x + b * kBlock;
    if (const std::int64_t left = n - b * kBlock; left < kBlock) {
      if (left > 0) std::memcpy(padded, from, static_cast<std::size_t>(left) * sizeof(float));
      from = padded;
    }
    alignas(64) std::int32_t integers[kBlock];
    std::int32_t sum = 0;
    scales[b * kScaleRows] = QuantiseBlock(from, integers, &sum);
    sums[b * kScaleRows] = scales[b * kScaleRows] * static_cast<float>(sum);
    place(integers, codes + b * kBlock);
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_QUANTISE_INL_H_
