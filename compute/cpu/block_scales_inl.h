// What both block kernels share: where scales lie, and how sums are written out.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_SCALES_INL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_SCALES_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

std::int64_t CodeBytes(const BlockPanels& weights) {
  return kPanel * kBlock / (weights.four_bits ? 2 : 1);
}
std::int64_t BlockBytes(const BlockPanels& weights) {
  return CodeBytes(weights) + 2 * kPanel * (weights.half_scales ? 2 : 4);
}

/// Asks for the block that lies `ahead` bytes behind this one, perhaps beyond the matrix: with few
/// rows a product waits for its weights, and what the processor fetches by itself comes too late.
inline void FetchBlock(const BlockPanels& weights, const std::uint8_t* block, std::int64_t ahead) {
  for (std::int64_t at = 0; at < BlockBytes(weights); at += 64) Fetch(block + ahead + at);
}

/// kLanes scales from number `at`. Half scales are made only for CPUs that convert them (AVX2 on).
inline F32 LoadScale(const BlockPanels& weights, const std::uint8_t* scales, std::int64_t at) {
#if defined(__AVX512F__)
  if (weights.half_scales) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(scales + at * 2)));
  }
#elif defined(__F16C__)
  if (weights.half_scales) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(scales + at * 2)));
  }
#else
  static_cast<void>(weights);
#endif
  F32 v;
  std::memcpy(&v, scales + at * 4, sizeof v);
  return v;
}

/// y[rows, width] = (or +=) totals[rows, kPanel].
inline void WriteTotals(const float* totals, std::int64_t rows, std::int64_t width, float* y,
                        std::int64_t y_stride, bool accumulate) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* from = totals + r * kPanel;
    float* to = y + r * y_stride;
    if (accumulate) {
      for (std::int64_t i = 0; i < width; ++i) to[i] += from[i];
    } else {
      for (std::int64_t i = 0; i < width; ++i) to[i] = from[i];
    }
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_SCALES_INL_H_
