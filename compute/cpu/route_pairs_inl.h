// Routing over int8 keys with pairwise 16-bit multiplication (SSE4.1, AVX2): keys widened to 16
// bits once for two queries. Sums wrap in 32 bits on the way and are exact at the end, as
// QuerySteps keeps the dot product inside int32.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/route_f32_inl.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

typedef std::uint32_t U32 __attribute__((vector_size(kLanes * 4)));

void PlaceQueryPairs(const std::int16_t* codes, std::int64_t dim, bool /*fine*/, std::int16_t* to,
                     std::int32_t* offsets) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < dim; ++i) {
    to[i] = codes[i];
    sum += codes[i];
  }
  offsets[0] = static_cast<std::int32_t>(-128 * sum);  // wraps, as the sums do
  offsets[1] = 0;
}

/// Raises scores[16] to query scale · dot of one block with Q queries.
template <int Q>
void RouteBlockPairs(const std::uint8_t* keys, std::int64_t dim, const RouteQueries& queries,
                     std::int64_t first, float* scores) {
  constexpr int kVectors = kRouteSlots / kLanes;
  U32 dots[Q][kVectors];
  for (int q = 0; q < Q; ++q) {
    for (int v = 0; v < kVectors; ++v) {
      dots[q][v] = U32{} + static_cast<std::uint32_t>(queries.offsets[(first + q) * 2]);
    }
  }
  const std::int16_t* codes = queries.codes + first * dim;
  for (std::int64_t i = 0; i < dim; i += 2) {
    I16 pair[Q];
    for (int q = 0; q < Q; ++q) pair[q] = BroadcastPair(codes + q * dim + i);
    for (int v = 0; v < kVectors; ++v) {
      const I16 key = WidenBytes(keys + i * kRouteSlots + v * 2 * kLanes);
      for (int q = 0; q < Q; ++q) {
        dots[q][v] += reinterpret_cast<U32>(MultiplyPairs(key, pair[q]));
      }
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    F32 best = Load(scores + v * kLanes);
    for (int q = 0; q < Q; ++q) {
      const F32 dot = __builtin_convertvector(reinterpret_cast<I32>(dots[q][v]), F32);
      best = Max(best, dot * queries.scales[first + q]);
    }
    Store(best, scores + v * kLanes);
  }
}

void RouteInt8Pairs(const std::uint8_t* keys, const float* scales, std::int64_t blocks,
                    std::int64_t dim, const RouteQueries& queries, float* scores) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (int i = 0; i < kRouteSlots; ++i) scores[i] = -__builtin_inff();
    std::int64_t q = 0;
    for (; q + 4 <= queries.count; q += 4) RouteBlockPairs<4>(keys, dim, queries, q, scores);
    for (; q + 2 <= queries.count; q += 2) RouteBlockPairs<2>(keys, dim, queries, q, scores);
    for (; q < queries.count; ++q) RouteBlockPairs<1>(keys, dim, queries, q, scores);
    for (int i = 0; i < kRouteSlots; ++i) scores[i] *= scales[i];
    keys += dim * kRouteSlots;
    scores += kRouteSlots;
    scales += kRouteSlots;
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_PAIRS_INL_H_
