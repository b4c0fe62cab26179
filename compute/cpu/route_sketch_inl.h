// The first look of a routing scan: one bit for each number of a key (route_sketch.h). A byte
// shuffle looks up the sums of four numbers for as many slots as the vector has bytes; a vector
// holds 1, 2 or 4 quads of a block, whose sums are added up at the end. For each number of 32 keys:
// half a byte read, 2.75 instructions at 32 bytes a vector.
#ifndef KVASIR_COMPUTE_CPU_ROUTE_SKETCH_INL_H_
#define KVASIR_COMPUTE_CPU_ROUTE_SKETCH_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

typedef std::uint8_t Bytes __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t Words __attribute__((vector_size(kLanes * 4)));

constexpr std::int64_t kPatternBytes = 16;
constexpr int kVectorBytes = kLanes * 4;
/// Quads whose sums stay below 2^16: 256 · 255 < 65 536.
constexpr std::int64_t kSpanQuads = 256;

inline Bytes LoadBytes(const std::uint8_t* from) {
  Bytes v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

/// table[index] in each lane of 16 bytes.
inline Bytes LookUp(Bytes table, Bytes index) {
#if defined(__AVX512F__)
  return reinterpret_cast<Bytes>(
      _mm512_shuffle_epi8(reinterpret_cast<__m512i>(table), reinterpret_cast<__m512i>(index)));
#elif defined(__AVX2__)
  return reinterpret_cast<Bytes>(
      _mm256_shuffle_epi8(reinterpret_cast<__m256i>(table), reinterpret_cast<__m256i>(index)));
#else
  return reinterpret_cast<Bytes>(
      _mm_shuffle_epi8(reinterpret_cast<__m128i>(table), reinterpret_cast<__m128i>(index)));
#endif
}

/// Sums of bytes in 16 bits: the odd bytes' sum, and that of all as if each pair were one number,
/// in which the even bytes' sum is what is left modulo 2^16.
struct ByteSums {
  Words all{};
  Words odd{};

  void Add(Bytes bytes) {
    const Words pairs = reinterpret_cast<Words>(bytes);
    all += pairs;
    odd += pairs >> 8;
  }
  /// sums[16] += the sums, lanes of 16 bytes added up.
  void AddTo(std::int32_t* sums) const {
    const Words even = all - (odd << 8);
    for (int i = 0; i < kVectorBytes / 2; ++i) {
      sums[i % 8 * 2] += even[i];
      sums[i % 8 * 2 + 1] += odd[i];
    }
  }
};

/// sums[q][slot] += codes of quads [begin, end) of one block, for Q queries.
template <int Q>
inline void SketchSpan(const std::uint8_t* bits, std::int64_t begin, std::int64_t end,
                       const std::uint8_t* tables, std::int64_t table_bytes,
                       std::int32_t (*sums)[kSketchSlots]) {
  ByteSums low[Q];
  ByteSums high[Q];
  for (std::int64_t at = begin * kPatternBytes; at < end * kPatternBytes; at += kVectorBytes) {
    Fetch(bits + at + kFetchAhead);
    const Bytes both = LoadBytes(bits + at);
    const Bytes first = both & 15;
    const Bytes second = reinterpret_cast<Bytes>(reinterpret_cast<Words>(both) >> 4) & 15;
    for (int q = 0; q < Q; ++q) {
      const Bytes table = LoadBytes(tables + q * table_bytes + at);
      low[q].Add(LookUp(table, first));
      high[q].Add(LookUp(table, second));
    }
  }
  for (int q = 0; q < Q; ++q) {
    low[q].AddTo(sums[q]);
    high[q].AddTo(sums[q] + kSketchSlots / 2);
  }
}

/// Raises scores[32] to the estimates of one block for queries [first, first + Q).
template <int Q>
inline void SketchBlock(const std::uint8_t* bits, const float* gains, std::int64_t quads,
                        const SketchQueries& queries, std::int64_t first, float* scores) {
  std::int32_t sums[Q][kSketchSlots] = {};
  const std::int64_t table_bytes = quads * kPatternBytes;
  for (std::int64_t begin = 0; begin < quads; begin += kSpanQuads) {
    const std::int64_t end = begin + kSpanQuads < quads ? begin + kSpanQuads : quads;
    SketchSpan<Q>(bits, begin, end, queries.tables + first * table_bytes, table_bytes, sums);
  }
  for (int q = 0; q < Q; ++q) {
    for (int i = 0; i < kSketchSlots; i += kLanes) {
      I32 codes;
      std::memcpy(&codes, sums[q] + i, sizeof codes);
      const F32 dot = __builtin_convertvector(codes, F32) * queries.steps[first + q] +
                      queries.starts[first + q];
      const F32 score = dot * Load(gains + i) + queries.bases[first + q];
      Store(Max(Load(scores + i), score), scores + i);
    }
  }
}

void RouteSketch(const std::uint8_t* bits, const float* gains, std::int64_t blocks,
                 std::int64_t quads, const SketchQueries& queries, float* scores) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (int i = 0; i < kSketchSlots; ++i) scores[i] = -__builtin_inff();
    std::int64_t q = 0;
    for (; q + 2 <= queries.count; q += 2) SketchBlock<2>(bits, gains, quads, queries, q, scores);
    for (; q < queries.count; ++q) SketchBlock<1>(bits, gains, quads, queries, q, scores);
    bits += quads * kPatternBytes;
    gains += kSketchSlots;
    scores += kSketchSlots;
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROUTE_SKETCH_INL_H_
