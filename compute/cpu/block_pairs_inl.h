// Block-quantised weights times 15-bit activations on CPUs with pairwise 16-bit multiplication
// (SSE4.1, AVX2). A panel is widened once to 16 bits in the first-level cache, [inputs / 2][16
// outputs][2], then every row of activations runs over it: per 32-bit lane one multiply-add of a
// pair. A single row (decoding) widens in registers instead: nothing would be read twice.
//
// Sums of a block are exact in int32 (32 · 255 · 16256 < 2^27); blocks are added in float32.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_PAIRS_INL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_PAIRS_INL_H_

#include "compute/cpu/block_quantise_inl.h"
#include "compute/cpu/block_scales_inl.h"

namespace kvasir::compute::cpu {
namespace {

constexpr std::int64_t kPairGroup = 2;
constexpr int kPairs = kBlock / 2;
/// Rows that share a load of weights: 8 accumulators of 16 registers, whatever the width.
constexpr int kPairRows = kLanes == 8 ? 4 : 2;

void QuantiseRowPairs(const float* x, std::int64_t n, std::int64_t blocks, std::int16_t* codes,
                      float* scales, float* sums) {
  QuantiseRowAs(x, n, blocks, codes, scales, sums, [](const std::int32_t* from, std::int16_t* to) {
    for (int i = 0; i < kBlock; ++i) to[i] = static_cast<std::int16_t>(from[i]);
  });
}

/// One block of codes to int16 [kPairs][kPanel][2].
void WidenBlock(const std::uint8_t* codes, bool four_bits, std::int16_t* to) {
  constexpr int kRow = 2 * static_cast<int>(kPanel);
  const int rows = four_bits ? kPairs / 2 : kPairs;
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < kRow; i += 2 * kLanes) {
      const I16 wide = WidenBytes(codes + row * kRow + i);
      if (four_bits) {
        const I16 low = wide & 15;
        const I16 high = wide >> 4;
        std::memcpy(to + 2 * row * kRow + i, &low, sizeof low);
        std::memcpy(to + (2 * row + 1) * kRow + i, &high, sizeof high);
      } else {
        std::memcpy(to + row * kRow + i, &wide, sizeof wide);
      }
    }
  }
}

/// totals[R][kPanel] of one panel for rows x, x + 1, … x + R - 1.
template <int R>
void PanelTimesRows(const BlockPanels& weights, const std::uint8_t* panel, const std::int16_t* wide,
                    const BlockActivations& x, std::int64_t row, float* totals) {
  constexpr int kVectors = static_cast<int>(kPanel) / kLanes;
  const std::int64_t blocks = weights.blocks;
  const std::int64_t codes_bytes = CodeBytes(weights);
  F32 sums[R][kVectors] = {};
  const float* scales_of_x = x.scales + FirstScale(row, blocks);
  const float* sums_of_x = x.sums + FirstScale(row, blocks);
  for (std::int64_t b = 0; b < blocks; ++b) {
    I32 products[R][kVectors] = {};
    // The panel that is widened next.
    if (row == 0) FetchBlock(weights, panel + b * BlockBytes(weights), weights.panel_bytes);
    const std::int16_t* block = wide + b * kBlock * kPanel;
    for (int pair = 0; pair < kPairs; ++pair) {
      I16 w[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        std::memcpy(&w[v], block + pair * 2 * kPanel + v * 2 * kLanes, sizeof w[v]);
      }
      for (int r = 0; r < R; ++r) {
        const I16 a = BroadcastPair(x.codes + ((row + r) * blocks + b) * kBlock + 2 * pair);
        for (int v = 0; v < kVectors; ++v) products[r][v] += MultiplyPairs(w[v], a);
      }
    }
    const std::uint8_t* scales = panel + b * BlockBytes(weights) + codes_bytes;
    for (int v = 0; v < kVectors; ++v) {
      const F32 d = LoadScale(weights, scales, v * kLanes);
      const F32 m = LoadScale(weights, scales, kPanel + v * kLanes);
      for (int r = 0; r < R; ++r) {
        const F32 dot =
            __builtin_convertvector(products[r][v], F32) * scales_of_x[b * kScaleRows + r];
        sums[r][v] += dot * d + m * sums_of_x[b * kScaleRows + r];
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < kVectors; ++v) Store(sums[r][v], totals + r * kPanel + v * kLanes);
  }
}

/// The same for `run` rows, 1 … R.
template <int R>
void PanelTimesRun(int run, const BlockPanels& weights, const std::uint8_t* panel,
                   const std::int16_t* wide, const BlockActivations& x, std::int64_t row,
                   float* totals) {
  if constexpr (R > 1) {
    if (run < R) return PanelTimesRun<R - 1>(run, weights, panel, wide, x, row, totals);
  }
  PanelTimesRows<R>(weights, panel, wide, x, row, totals);
}

/// products[v] += a row of packed codes, a pair of inputs in each 32-bit lane, times `pair`.
inline void AddPairs(const I16* w, const std::int16_t* pair, I32* products) {
  constexpr int kVectors = static_cast<int>(kPanel) / kLanes;
  const I16 a = BroadcastPair(pair);
  for (int v = 0; v < kVectors; ++v) products[v] += MultiplyPairs(w[v], a);
}

/// totals[kPanel] of one panel for the first row of x, straight from the packed codes.
template <bool kFourBits>
void PackedPanelTimesRow(const BlockPanels& weights, const std::uint8_t* panel,
                         const BlockActivations& x, float* totals) {
  constexpr int kVectors = static_cast<int>(kPanel) / kLanes;
  const std::int64_t codes_bytes = CodeBytes(weights);
  F32 sums[kVectors] = {};
  for (std::int64_t b = 0; b < weights.blocks; ++b) {
    const std::int16_t* codes = x.codes + b * kBlock;
    I32 products[kVectors] = {};
    FetchBlock(weights, panel, kFetchAhead);
    for (int pair = 0; pair < kPairs; pair += kFourBits ? 2 : 1) {
      const std::uint8_t* packed = panel + pair * (kFourBits ? kPanel : 2 * kPanel);
      I16 low[kVectors];
      I16 high[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        low[v] = WidenBytes(packed + v * 2 * kLanes);
        high[v] = low[v] >> 4;
        if (kFourBits) low[v] &= 15;
      }
      AddPairs(low, codes + 2 * pair, products);
      if (kFourBits) AddPairs(high, codes + 2 * pair + 2, products);
    }
    for (int v = 0; v < kVectors; ++v) {
      const F32 d = LoadScale(weights, panel + codes_bytes, v * kLanes);
      const F32 m = LoadScale(weights, panel + codes_bytes, kPanel + v * kLanes);
      const F32 dot = __builtin_convertvector(products[v], F32) * x.scales[b * kScaleRows];
      sums[v] += dot * d + m * x.sums[b * kScaleRows];
    }
    panel += BlockBytes(weights);
  }
  for (int v = 0; v < kVectors; ++v) Store(sums[v], totals + v * kLanes);
}

/// One row times panels [begin, end).
void BlockRowTimesPanels(const BlockPanels& weights, std::int64_t begin, std::int64_t end,
                         std::int64_t out, const BlockActivations& x, float* y, bool accumulate) {
  alignas(64) float totals[kPanel];
  for (std::int64_t p = begin; p < end; ++p) {
    const std::uint8_t* panel = weights.data + p * weights.panel_bytes;
    if (weights.four_bits) {
      PackedPanelTimesRow<true>(weights, panel, x, totals);
    } else {
      PackedPanelTimesRow<false>(weights, panel, x, totals);
    }
    const std::int64_t width = out - p * kPanel < kPanel ? out - p * kPanel : kPanel;
    WriteTotals(totals, 1, width, y + p * kPanel, 0, accumulate);
  }
}

void BlockMatMulPairs(const BlockPanels& weights, std::int64_t begin, std::int64_t end,
                      std::int64_t out, const BlockActivations& x, std::int64_t rows, float* y,
                      std::int64_t y_stride, bool accumulate, std::int16_t* scratch) {
  if (rows == 1) {
    BlockRowTimesPanels(weights, begin, end, out, x, y, accumulate);
    return;
  }
  alignas(64) float totals[kPairRows * kPanel];
  for (std::int64_t p = begin; p < end; ++p) {
    const std::uint8_t* panel = weights.data + p * weights.panel_bytes;
    for (std::int64_t b = 0; b < weights.blocks; ++b) {
      WidenBlock(panel + b * BlockBytes(weights), weights.four_bits, scratch + b * kBlock * kPanel);
    }
    const std::int64_t width = out - p * kPanel < kPanel ? out - p * kPanel : kPanel;
    for (std::int64_t row = 0; row < rows;) {
      const std::int64_t left = rows - row;
      const int run = left >= kPairRows ? kPairRows : static_cast<int>(left);
      PanelTimesRun<kPairRows>(run, weights, panel, scratch, x, row, totals);
      WriteTotals(totals, run, width, y + row * y_stride + p * kPanel, y_stride, accumulate);
      row += run;
    }
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_PAIRS_INL_H_
