// What an index does with every key that comes in: its sketch (route_sketch.h). The work is the
// transform, log2(order) additions for each number.
#ifndef KVASIR_COMPUTE_CPU_SKETCH_KEY_INL_H_
#define KVASIR_COMPUTE_CPU_SKETCH_KEY_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

/// Narrower vectors for what is left of a row: a key of 576 begins with rows of 9.
typedef float F32x4 __attribute__((vector_size(16)));
#if defined(__AVX512F__)
typedef float F32x8 __attribute__((vector_size(32)));
#endif

/// The whole vectors of type V in a[n], b[n] = a + b, a - b from `i` on; where they end.
template <typename V>
inline std::int64_t ButterflyBy(float* a, float* b, std::int64_t i, std::int64_t n) {
  constexpr std::int64_t kWidth = sizeof(V) / sizeof(float);
  for (; i + kWidth <= n; i += kWidth) {
    V x;
    V y;
    std::memcpy(&x, a + i, sizeof x);
    std::memcpy(&y, b + i, sizeof y);
    const V sum = x + y;
    const V difference = x - y;
    std::memcpy(a + i, &sum, sizeof sum);
    std::memcpy(b + i, &difference, sizeof difference);
  }
  return i;
}

/// a[n], b[n] = a + b, a - b; they do not overlap.
inline void Butterfly(float* a, float* b, std::int64_t n) {
  std::int64_t i = ButterflyBy<F32>(a, b, 0, n);
#if defined(__AVX512F__)
  i = ButterflyBy<F32x8>(a, b, i, n);
#endif
  i = ButterflyBy<F32x4>(a, b, i, n);
  for (; i < n; ++i) {
    const float x = a[i];
    a[i] = x + b[i];
    b[i] = x - b[i];
  }
}

/// Bit i: x[i] > 0.
inline unsigned PositiveLanes(F32 x) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
#elif defined(__AVX2__)
  return static_cast<unsigned>(
      _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ)));
#else
  return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpgt_ps(x, _mm_setzero_ps())));
#endif
}

float SketchKey(float* x, const float* centre, const float* signs, std::int64_t dim,
                std::int64_t order, int shift, std::uint8_t* bits) {
  for (std::int64_t i = 0; i < dim; ++i) x[i] = (x[i] - centre[i]) * signs[i];
  for (std::int64_t step = dim / order; step < dim; step *= 2) {
    for (std::int64_t begin = 0; begin < dim; begin += 2 * step) {
      Butterfly(x + begin, x + begin + step, step);
    }
  }
  F32 norm1{};
  F32 squares{};
  const auto keep = static_cast<unsigned>(0xF0 >> shift);
  for (std::int64_t i = 0; i < dim; i += kLanes) {
    const std::int64_t count = dim - i < kLanes ? dim - i : kLanes;
    const F32 v = count < kLanes ? LoadSome(x + i, count) : Load(x + i);
    norm1 += v < 0 ? -v : v;
    squares += v * v;
    const unsigned positive = PositiveLanes(v);
    for (std::int64_t quad = 0; quad * 4 < count; ++quad, bits += 16) {
      *bits = static_cast<std::uint8_t>((*bits & keep) | (positive >> quad * 4 & 15) << shift);
    }
  }
  const float sum = Sum(norm1);
  return sum > 0 ? Sum(squares) / sum : 0.0F;
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_SKETCH_KEY_INL_H_
