// Routing over int8 keys with AVX-512 VNNI: per instruction four dimensions of 16 chunks with one
// query. Up to eight queries run over a block while it is in the first-level cache; a block of 192
// dimensions is 3 KiB and is read from memory once.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/route_f32_inl.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

/// A query becomes `dim` high bytes, then `dim` low ones: code = 128 · high + low.
void PlaceQueryQuads(const std::int16_t* codes, std::int64_t dim, bool fine, std::int16_t* to,
                     std::int32_t* offsets) {
  auto* bytes = reinterpret_cast<std::int8_t*>(to);
  std::int32_t sums[2] = {};
  for (std::int64_t i = 0; i < dim; ++i) {
    const std::int32_t high = fine ? (codes[i] + 64) >> 7 : codes[i];
    const std::int32_t low = fine ? codes[i] - high * 128 : 0;
    bytes[i] = static_cast<std::int8_t>(high);
    bytes[dim + i] = static_cast<std::int8_t>(low);
    sums[0] += high;
    sums[1] += low;
  }
  offsets[0] = -128 * sums[0];
  offsets[1] = -128 * sums[1];
}

/// best = highest of best and query scale · dot of one block with Q queries.
template <int Q, bool kFine>
inline __m512 RouteBlockQuads(const std::uint8_t* keys, std::int64_t dim,
                              const RouteQueries& queries, std::int64_t first, __m512 best) {
  __m512i high[Q];
  __m512i low[Q];
  for (int q = 0; q < Q; ++q) {
    high[q] = _mm512_set1_epi32(queries.offsets[(first + q) * 2]);
    low[q] = _mm512_set1_epi32(queries.offsets[(first + q) * 2 + 1]);
  }
  const auto* codes = reinterpret_cast<const std::int8_t*>(queries.codes + first * dim);
  for (std::int64_t i = 0; i < dim; i += 4) {
    const __m512i key = _mm512_loadu_si512(keys + i * kRouteSlots);
    for (int q = 0; q < Q; ++q) {
      std::int32_t quad[2];
      std::memcpy(&quad[0], codes + q * dim * 2 + i, 4);
      high[q] = _mm512_dpbusd_epi32(high[q], key, _mm512_set1_epi32(quad[0]));
      if constexpr (kFine) {
        std::memcpy(&quad[1], codes + q * dim * 2 + dim + i, 4);
        low[q] = _mm512_dpbusd_epi32(low[q], key, _mm512_set1_epi32(quad[1]));
      }
    }
  }
  for (int q = 0; q < Q; ++q) {
    const __m512i dot = kFine ? _mm512_add_epi32(_mm512_slli_epi32(high[q], 7), low[q]) : high[q];
    const __m512 score =
        _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(queries.scales[first + q]));
    best = _mm512_max_ps(best, score);
  }
  return best;
}

template <bool kFine>
void RouteBlocksQuads(const std::uint8_t* keys, const float* scales, std::int64_t blocks,
                      std::int64_t dim, const RouteQueries& queries, float* scores) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    __m512 best = _mm512_set1_ps(-__builtin_inff());
    std::int64_t q = 0;
    for (; q + 8 <= queries.count; q += 8) {
      best = RouteBlockQuads<8, kFine>(keys, dim, queries, q, best);
    }
    for (; q + 4 <= queries.count; q += 4) {
      best = RouteBlockQuads<4, kFine>(keys, dim, queries, q, best);
    }
    for (; q < queries.count; ++q) best = RouteBlockQuads<1, kFine>(keys, dim, queries, q, best);
    _mm512_storeu_ps(scores, _mm512_mul_ps(best, _mm512_loadu_ps(scales)));
    keys += dim * kRouteSlots;
    scores += kRouteSlots;
    scales += kRouteSlots;
  }
}

void RouteInt8Quads(const std::uint8_t* keys, const float* scales, std::int64_t blocks,
                    std::int64_t dim, const RouteQueries& queries, float* scores) {
  if (queries.fine) {
    RouteBlocksQuads<true>(keys, scales, blocks, dim, queries, scores);
  } else {
    RouteBlocksQuads<false>(keys, scales, blocks, dim, queries, scores);
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_
