// Routing over int8 keys with pairwise 16-bit multiplication (SSE4.1, AVX2): four chunks and two
// queries at a time, keys widened to 16 bits once for both. Sums wrap in 32 bits on the way and are
// exact at the end, as QuerySteps keeps the dot product inside int32.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

typedef std::uint32_t U32 __attribute__((vector_size(kLanes * 4)));

void PlaceQueryPairs(const std::int16_t* codes, std::int64_t dim, bool /*fine*/, std::int16_t* to,
                     std::int32_t* offset) {
  const std::int64_t width = (dim + kRouteLine - 1) / kRouteLine * kRouteLine;
  std::uint32_t sum = 0;
  for (std::int64_t i = 0; i < width; ++i) {
    to[i] = i < dim ? codes[i] : std::int16_t{0};
    sum += static_cast<std::uint32_t>(to[i]);
  }
  *offset = static_cast<std::int32_t>(0U - 128 * sum);
}

/// The sums of four vectors' lanes.
inline __m128i AddUpPairs(const U32* v) {
#if defined(__AVX2__)
  const auto of = [v](int i) { return reinterpret_cast<__m256i>(v[i]); };
  const __m256i sums =
      _mm256_hadd_epi32(_mm256_hadd_epi32(of(0), of(1)), _mm256_hadd_epi32(of(2), of(3)));
  return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
#else
  const auto of = [v](int i) { return reinterpret_cast<__m128i>(v[i]); };
  return _mm_hadd_epi32(_mm_hadd_epi32(of(0), of(1)), _mm_hadd_epi32(of(2), of(3)));
#endif
}

/// best = highest of best and query scale · dot of one group with Q queries.
template <int Q>
inline __m128 RouteGroupPairs(const std::uint8_t* keys, std::int64_t width,
                              const RouteQueries& queries, std::int64_t first, __m128 best) {
  constexpr int kStep = 2 * kLanes;  // Numbers in a vector of 16 bits; divides a line.
  U32 dots[Q][kRouteGroup] = {};
  const std::int16_t* codes = queries.codes + first * width;
  for (std::int64_t i = 0; i < width; i += kRouteLine) {
    const std::uint8_t* line = keys + i * kRouteGroup;
    Fetch(line + kFetchAhead);
    for (int part = 0; part < kRouteLine; part += kStep) {
      I16 query[Q];
      for (int q = 0; q < Q; ++q) {
        std::memcpy(&query[q], codes + q * width + i + part, sizeof query[q]);
      }
      for (int slot = 0; slot < kRouteGroup; ++slot) {
        const I16 key = WidenBytes(line + slot * kRouteLine + part);
        for (int q = 0; q < Q; ++q) {
          dots[q][slot] += reinterpret_cast<U32>(MultiplyPairs(key, query[q]));
        }
      }
    }
  }
  for (int q = 0; q < Q; ++q) {
    const __m128i dot =
        _mm_add_epi32(AddUpPairs(dots[q]), _mm_set1_epi32(queries.offsets[first + q]));
    const __m128 score = _mm_mul_ps(_mm_cvtepi32_ps(dot), _mm_set1_ps(queries.scales[first + q]));
    best = _mm_max_ps(best, score);
  }
  return best;
}

void RouteInt8Pairs(const std::uint8_t* keys, const float* scales, std::int64_t groups,
                    std::int64_t width, const RouteQueries& queries, float* scores) {
  for (std::int64_t group = 0; group < groups; ++group) {
    __m128 best = _mm_set1_ps(-__builtin_inff());
    std::int64_t q = 0;
    for (; q + 2 <= queries.count; q += 2) {
      best = RouteGroupPairs<2>(keys, width, queries, q, best);
    }
    for (; q < queries.count; ++q) best = RouteGroupPairs<1>(keys, width, queries, q, best);
    _mm_storeu_ps(scores, _mm_mul_ps(best, _mm_loadu_ps(scales)));
    keys += width * kRouteGroup;
    scores += kRouteGroup;
    scales += kRouteGroup;
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_
