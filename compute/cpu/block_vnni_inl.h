// Block-quantised weights times 15-bit activations with AVX-512 VNNI: four byte products per lane
// and instruction. An activation is high · 128 + low, two signed bytes, and so two instructions per
// 64 products; weights are read in their packed form, 4-bit codes unpacked in registers.
//
// Sums of a block are exact in int32; blocks are added in float32. Bytes read per weight: 0.5 or 1,
// and 1/8 for half scales: with one row the kernel is bound by memory.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_VNNI_INL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_VNNI_INL_H_

#include "compute/cpu/block_quantise_inl.h"
#include "compute/cpu/block_scales_inl.h"

namespace kvasir::compute::cpu {
namespace {

constexpr std::int64_t kQuadGroup = 4;
constexpr int kQuads = kBlock / 4;
/// Rows that share a load of weights: 8 · (high, low, total) = 24 of 32 registers.
constexpr int kQuadRows = 8;

/// A block's codes become 32 high bytes, then 32 low bytes.
void QuantiseRowQuads(const float* x, std::int64_t n, std::int64_t blocks, std::int16_t* codes,
                      float* scales, float* sums) {
  QuantiseRowAs(x, n, blocks, codes, scales, sums, [](const std::int32_t* from, std::int16_t* to) {
    auto* bytes = reinterpret_cast<std::int8_t*>(to);
    for (int i = 0; i < kBlock; ++i) {
      const std::int32_t high = (from[i] + 64) >> 7;
      bytes[i] = static_cast<std::int8_t>(high);
      bytes[kBlock + i] = static_cast<std::int8_t>(from[i] - high * 128);
    }
  });
}

inline __m512i BroadcastQuad(const std::int8_t* quad) {
  std::int32_t four;
  std::memcpy(&four, quad, sizeof four);
  return _mm512_set1_epi32(four);
}

/// products[r] += w · activations of the quad, high and low.
template <int R>
inline void MultiplyQuad(__m512i w, const std::int8_t* codes, std::int64_t row_bytes, int quad,
                         __m512i* high, __m512i* low) {
  for (int r = 0; r < R; ++r) {
    const std::int8_t* at = codes + r * row_bytes + quad * 4;
    high[r] = _mm512_dpbusd_epi32(high[r], w, BroadcastQuad(at));
    low[r] = _mm512_dpbusd_epi32(low[r], w, BroadcastQuad(at + kBlock));
  }
}

/// totals[R][kPanel] of one panel for rows x, x + 1, … x + R - 1.
template <int R, bool kFourBits>
void PanelTimesRows(const BlockPanels& weights, const std::uint8_t* panel,
                    const BlockActivations& x, std::int64_t row, float* totals) {
  const std::int64_t blocks = weights.blocks;
  const std::int64_t row_bytes = blocks * kBlock * 2;
  const std::int64_t code_bytes = CodeBytes(weights);
  const auto* codes = reinterpret_cast<const std::int8_t*>(x.codes) + row * row_bytes;
  const __m512i nibble = _mm512_set1_epi8(15);
  __m512 sums[R];
  for (int r = 0; r < R; ++r) sums[r] = _mm512_setzero_ps();
  const float* scales = x.scales + FirstScale(row, blocks);
  const float* totals_of_x = x.sums + FirstScale(row, blocks);
  for (std::int64_t b = 0; b < blocks; ++b) {
    __m512i high[R];
    __m512i low[R];
    for (int r = 0; r < R; ++r) high[r] = low[r] = _mm512_setzero_si512();
    FetchBlock(weights, panel, kFetchAhead);
    for (int quad = 0; quad < kQuads; quad += kFourBits ? 2 : 1) {
      const __m512i w = _mm512_loadu_si512(panel + quad * (kFourBits ? 32 : 64));
      if constexpr (kFourBits) {
        MultiplyQuad<R>(_mm512_and_si512(w, nibble), codes, row_bytes, quad, high, low);
        MultiplyQuad<R>(_mm512_and_si512(_mm512_srli_epi16(w, 4), nibble), codes, row_bytes,
                        quad + 1, high, low);
      } else {
        MultiplyQuad<R>(w, codes, row_bytes, quad, high, low);
      }
    }
    const __m512 d = LoadScale(weights, panel + code_bytes, 0);
    const __m512 m = LoadScale(weights, panel + code_bytes, kPanel);
    for (int r = 0; r < R; ++r) {
      const __m512i dot = _mm512_add_epi32(_mm512_slli_epi32(high[r], 7), low[r]);
      const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(scales[r]));
      sums[r] = _mm512_fmadd_ps(scaled, d, sums[r]);
      sums[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(totals_of_x[r]), sums[r]);
    }
    panel += BlockBytes(weights);
    codes += 2 * kBlock;
    scales += kScaleRows;
    totals_of_x += kScaleRows;
  }
  for (int r = 0; r < R; ++r) _mm512_storeu_ps(totals + r * kPanel, sums[r]);
}

/// The same for `run` rows, 1 … R.
template <int R>
void PanelTimesRun(int run, const BlockPanels& weights, const std::uint8_t* panel,
                   const BlockActivations& x, std::int64_t row, float* totals) {
  if constexpr (R > 1) {
    if (run < R) return PanelTimesRun<R - 1>(run, weights, panel, x, row, totals);
  }
  if (weights.four_bits) {
    PanelTimesRows<R, true>(weights, panel, x, row, totals);
  } else {
    PanelTimesRows<R, false>(weights, panel, x, row, totals);
  }
}

void BlockMatMulQuads(const BlockPanels& weights, std::int64_t begin, std::int64_t end,
                      std::int64_t out, const BlockActivations& x, std::int64_t rows, float* y,
                      std::int64_t y_stride, bool accumulate, std::int16_t* /*scratch*/) {
  alignas(64) float totals[kQuadRows * kPanel];
  for (std::int64_t p = begin; p < end; ++p) {
    const std::uint8_t* panel = weights.data + p * weights.panel_bytes;
    const std::int64_t width = out - p * kPanel < kPanel ? out - p * kPanel : kPanel;
    for (std::int64_t row = 0; row < rows;) {
      const std::int64_t left = rows - row;
      const int run = left >= kQuadRows ? kQuadRows : static_cast<int>(left);
      PanelTimesRun<kQuadRows>(run, weights, panel, x, row, totals);
      WriteTotals(totals, run, width, y + row * y_stride + p * kPanel, y_stride, accumulate);
      row += run;
    }
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_VNNI_INL_H_
