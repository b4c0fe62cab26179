// Routing over int8 keys with AVX-512 VNNI: an instruction multiplies 16 dimensions of four chunks
// with one query and leaves four sums for each chunk, which are added up at the end. 16 chunks and
// up to four queries are worked on at a time: 16 sums in registers, 8 loads for 16 instructions.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

/// A query becomes `width` high bytes, then `width` low ones: code = 128 · high + low.
void PlaceQueryQuads(const std::int16_t* codes, std::int64_t dim, bool fine, std::int16_t* to,
                     std::int32_t* offset) {
  auto* bytes = reinterpret_cast<std::int8_t*>(to);
  const std::int64_t width = (dim + kRouteLine - 1) / kRouteLine * kRouteLine;
  std::memset(bytes, 0, static_cast<std::size_t>(width * 2));
  std::uint32_t sum = 0;
  for (std::int64_t i = 0; i < dim; ++i) {
    const std::int32_t high = fine ? (codes[i] + 64) >> 7 : codes[i];
    bytes[i] = static_cast<std::int8_t>(high);
    bytes[width + i] = static_cast<std::int8_t>(fine ? codes[i] - high * 128 : 0);
    sum += static_cast<std::uint32_t>(codes[i]);
  }
  *offset = static_cast<std::int32_t>(0U - 128 * sum);
}

/// Four vectors of [4 chunks][4 sums] to one of 16 chunks.
inline __m512i AddUpQuads(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i sums =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, sums);
}

/// best = highest of best and query scale · dot of G groups (4 or 1) with Q queries.
template <int G, int Q, bool kFine>
inline __m512 RouteGroupsQuads(const std::uint8_t* keys, std::int64_t width,
                               const RouteQueries& queries, std::int64_t first, __m512 best) {
  __m512i high[Q][4];
  __m512i low[Q][4];
  for (int q = 0; q < Q; ++q) {
    for (int g = 0; g < 4; ++g) high[q][g] = low[q][g] = _mm512_setzero_si512();
  }
  const auto* codes = reinterpret_cast<const std::int8_t*>(queries.codes + first * width);
  const auto line = [](const std::int8_t* from) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  };
  // Four groups are read in turn, which processors foresee badly: lines are fetched as they lie.
  const std::uint8_t* ahead = keys + kFetchAhead;
  for (std::int64_t i = 0; i < width; i += kRouteLine) {
    __m512i key[G];
    for (int g = 0; g < G; ++g) {
      key[g] = _mm512_loadu_si512(keys + (g * width + i) * kRouteGroup);
      Fetch(ahead);
      ahead += kRouteGroup * kRouteLine;
    }
    for (int q = 0; q < Q; ++q) {
      const __m512i coarse = line(codes + q * width * 2 + i);
      for (int g = 0; g < G; ++g) high[q][g] = _mm512_dpbusd_epi32(high[q][g], key[g], coarse);
      if constexpr (kFine) {
        const __m512i rest = line(codes + q * width * 2 + width + i);
        for (int g = 0; g < G; ++g) low[q][g] = _mm512_dpbusd_epi32(low[q][g], key[g], rest);
      }
    }
  }
  for (int q = 0; q < Q; ++q) {
    if constexpr (kFine) {
      for (int g = 0; g < G; ++g) {
        high[q][g] = _mm512_add_epi32(_mm512_slli_epi32(high[q][g], 7), low[q][g]);
      }
    }
    const __m512i sums = AddUpQuads(high[q][0], high[q][1], high[q][2], high[q][3]);
    const __m512i dot = _mm512_add_epi32(sums, _mm512_set1_epi32(queries.offsets[first + q]));
    const __m512 score =
        _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(queries.scales[first + q]));
    best = _mm512_max_ps(best, score);
  }
  return best;
}

template <int G, bool kFine>
inline void RouteGroupsQuads(const std::uint8_t* keys, const float* scales, std::int64_t width,
                             const RouteQueries& queries, float* scores) {
  constexpr int kMost = kFine ? 2 : 4;
  const auto lanes = static_cast<__mmask16>((1U << (G * kRouteGroup)) - 1);
  __m512 best = _mm512_set1_ps(-__builtin_inff());
  std::int64_t q = 0;
  for (; q + kMost <= queries.count; q += kMost) {
    best = RouteGroupsQuads<G, kMost, kFine>(keys, width, queries, q, best);
  }
  for (; q < queries.count; ++q) {
    best = RouteGroupsQuads<G, 1, kFine>(keys, width, queries, q, best);
  }
  _mm512_mask_storeu_ps(scores, lanes, _mm512_mul_ps(best, _mm512_maskz_loadu_ps(lanes, scales)));
}

template <bool kFine>
void RouteAllQuads(const std::uint8_t* keys, const float* scales, std::int64_t groups,
                   std::int64_t width, const RouteQueries& queries, float* scores) {
  std::int64_t g = 0;
  for (; g + 4 <= groups; g += 4) {
    RouteGroupsQuads<4, kFine>(keys + g * kRouteGroup * width, scales + g * kRouteGroup, width,
                               queries, scores + g * kRouteGroup);
  }
  for (; g < groups; ++g) {
    RouteGroupsQuads<1, kFine>(keys + g * kRouteGroup * width, scales + g * kRouteGroup, width,
                               queries, scores + g * kRouteGroup);
  }
}

void RouteInt8Quads(const std::uint8_t* keys, const float* scales, std::int64_t groups,
                    std::int64_t width, const RouteQueries& queries, float* scores) {
  if (queries.fine) {
    RouteAllQuads<true>(keys, scales, groups, width, queries, scores);
  } else {
    RouteAllQuads<false>(keys, scales, groups, width, queries, scores);
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_VNNI_INL_H_
