// Routing over float32 keys: one broadcast multiply-add per query, dimension and 16 chunks.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_F32_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_F32_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

constexpr int kRouteSlots = 16;

/// Raises scores[16] to the dot products of one block with Q queries.
template <int Q>
void RouteBlockF32(const float* keys, std::int64_t dim, const float* queries, float* scores) {
  constexpr int kVectors = kRouteSlots / kLanes;
  F32 dots[Q][kVectors] = {};
  for (std::int64_t i = 0; i < dim; ++i) {
    for (int v = 0; v < kVectors; ++v) {
      const F32 key = Load(keys + i * kRouteSlots + v * kLanes);
      for (int q = 0; q < Q; ++q) dots[q][v] += key * queries[q * dim + i];
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    F32 best = Load(scores + v * kLanes);
    for (int q = 0; q < Q; ++q) best = Max(best, dots[q][v]);
    Store(best, scores + v * kLanes);
  }
}

void RouteF32(const float* keys, std::int64_t blocks, std::int64_t dim, const float* queries,
              std::int64_t count, float* scores) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (int i = 0; i < kRouteSlots; ++i) scores[i] = -__builtin_inff();
    std::int64_t q = 0;
    for (; q + 4 <= count; q += 4) RouteBlockF32<4>(keys, dim, queries + q * dim, scores);
    for (; q < count; ++q) RouteBlockF32<1>(keys, dim, queries + q * dim, scores);
    keys += dim * kRouteSlots;
    scores += kRouteSlots;
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_F32_INL_H_
