// The products of block_vnni_inl.h on AMX's tile unit: sixteen rows of activations times a block of
// a panel are one instruction for the high and one for the low bytes. Activations and weights lie
// as the VNNI kernel has them, the sums of a block are the same integers and are added in the same
// order. Few rows go to the VNNI kernel.
//
// Time goes to turning the integers into float32, so the tiles of a block are multiplied while
// those of the block before are turned.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_AMX_INL_H_
#define KVASIR_COMPUTE_CPU_BLOCK_AMX_INL_H_

#include "compute/cpu/block_vnni_inl.h"

namespace kvasir::compute::cpu {
namespace {

constexpr int kTileRows = 16;
static_assert(kTileRows == kScaleRows);
/// With fewer rows unpacking a panel takes longer than tiles save.
constexpr std::int64_t kFewestTileRows = 2 * kTileRows;
/// Tiles by number, as the instructions want them: sums of high and of low bytes, of two blocks in
/// turn; activations' high and low bytes; weights.
#define KVASIR_TILE_HIGH_0 0
#define KVASIR_TILE_LOW_0 1
#define KVASIR_TILE_HIGH_1 2
#define KVASIR_TILE_LOW_1 3
#define KVASIR_TILE_X_HIGH 4
#define KVASIR_TILE_X_LOW 5
#define KVASIR_TILE_W 6

/// Operand of LDTILECFG (Intel SDM, volume 1, "Tile configuration").
struct TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  TileShapes() {
    Set(KVASIR_TILE_HIGH_0, kTileRows, kPanel * 4);
    Set(KVASIR_TILE_LOW_0, kTileRows, kPanel * 4);
    Set(KVASIR_TILE_HIGH_1, kTileRows, kPanel * 4);
    Set(KVASIR_TILE_LOW_1, kTileRows, kPanel * 4);
    Set(KVASIR_TILE_X_HIGH, kTileRows, kBlock);
    Set(KVASIR_TILE_X_LOW, kTileRows, kBlock);
    Set(KVASIR_TILE_W, kQuads, kPanel * 4);
  }
  void Set(int tile, int count, std::int64_t bytes) {
    rows[tile] = static_cast<std::uint8_t>(count);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
};

/// The sums of a block as integers: tiles of high and of low bytes.
struct alignas(64) BlockTiles {
  std::int32_t high[kTileRows][kPanel];
  std::int32_t low[kTileRows][kPanel];
};

/// A panel's codes of 4 bits to bytes, [blocks][kQuads][kPanel][4].
void UnpackPanel(const BlockPanels& weights, const std::uint8_t* panel, std::uint8_t* to) {
  const __m512i nibble = _mm512_set1_epi8(15);
  for (std::int64_t b = 0; b < weights.blocks; ++b, panel += BlockBytes(weights)) {
    for (int quad = 0; quad < kQuads; quad += 2, to += 128) {
      const __m512i w = _mm512_loadu_si512(panel + quad * 32);
      _mm512_storeu_si512(to, _mm512_and_si512(w, nibble));
      _mm512_storeu_si512(to + 64, _mm512_and_si512(_mm512_srli_epi16(w, 4), nibble));
    }
  }
}

/// A block into the tiles of odd or even blocks: `x` are codes of sixteen rows, `stride` bytes
/// apart, `w` those of the weights.
inline void MultiplyTiles(bool odd, const std::int8_t* x, std::int64_t stride,
                          const std::uint8_t* w) {
  _tile_loadd(KVASIR_TILE_W, w, kPanel * 4);
  _tile_loadd(KVASIR_TILE_X_HIGH, x, stride);
  _tile_loadd(KVASIR_TILE_X_LOW, x + kBlock, stride);
  if (odd) {
    _tile_zero(KVASIR_TILE_HIGH_1);
    _tile_zero(KVASIR_TILE_LOW_1);
    _tile_dpbsud(KVASIR_TILE_HIGH_1, KVASIR_TILE_X_HIGH, KVASIR_TILE_W);
    _tile_dpbsud(KVASIR_TILE_LOW_1, KVASIR_TILE_X_LOW, KVASIR_TILE_W);
  } else {
    _tile_zero(KVASIR_TILE_HIGH_0);
    _tile_zero(KVASIR_TILE_LOW_0);
    _tile_dpbsud(KVASIR_TILE_HIGH_0, KVASIR_TILE_X_HIGH, KVASIR_TILE_W);
    _tile_dpbsud(KVASIR_TILE_LOW_0, KVASIR_TILE_X_LOW, KVASIR_TILE_W);
  }
}

inline void StoreTiles(bool odd, BlockTiles* to) {
  if (odd) {
    _tile_stored(KVASIR_TILE_HIGH_1, to->high, kPanel * 4);
    _tile_stored(KVASIR_TILE_LOW_1, to->low, kPanel * 4);
  } else {
    _tile_stored(KVASIR_TILE_HIGH_0, to->high, kPanel * 4);
    _tile_stored(KVASIR_TILE_LOW_0, to->low, kPanel * 4);
  }
}

/// sums[r] += a block's products, scaled. `scales` and `totals` are those of the sixteen rows.
inline void AddBlock(const BlockTiles& tiles, __m512 d, __m512 m, const float* scales,
                     const float* totals, __m512* sums) {
  for (int r = 0; r < kTileRows; ++r) {
    const __m512i high = _mm512_load_si512(tiles.high[r]);
    const __m512i dot =
        _mm512_add_epi32(_mm512_slli_epi32(high, 7), _mm512_load_si512(tiles.low[r]));
    const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(scales[r]));
    sums[r] = _mm512_fmadd_ps(scaled, d, sums[r]);
    sums[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(totals[r]), sums[r]);
  }
}

/// totals[kTileRows][kPanel] of one panel for rows x, x + 1, … `codes` are the panel's as bytes, a
/// block `code_step` bytes behind the one before.
void PanelTimesTile(const BlockPanels& weights, const std::uint8_t* panel,
                    const std::uint8_t* codes, std::int64_t code_step, const BlockActivations& x,
                    std::int64_t row, float* totals) {
  const std::int64_t blocks = weights.blocks;
  const std::int64_t row_bytes = blocks * kBlock * 2;
  const std::int64_t code_bytes = CodeBytes(weights);
  const auto* of_x = reinterpret_cast<const std::int8_t*>(x.codes) + row * row_bytes;
  const std::int64_t first = FirstScale(row, blocks);
  BlockTiles tiles[2];
  __m512 sums[kTileRows];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  for (std::int64_t b = 0; b < blocks + 2; ++b) {
    const bool odd = (b & 1) != 0;
    if (b < blocks) MultiplyTiles(odd, of_x + b * 2 * kBlock, row_bytes, codes + b * code_step);
    if (b >= 2) {
      const std::int64_t done = b - 2;
      const std::uint8_t* scales = panel + done * BlockBytes(weights) + code_bytes;
      AddBlock(tiles[odd], LoadScale(weights, scales, 0), LoadScale(weights, scales, kPanel),
               x.scales + first + done * kTileRows, x.sums + first + done * kTileRows, sums);
    }
    if (b >= 1 && b <= blocks) StoreTiles(!odd, &tiles[!odd]);
  }
  for (int r = 0; r < kTileRows; ++r) _mm512_storeu_ps(totals + r * kPanel, sums[r]);
}

void BlockMatMulTiles(const BlockPanels& weights, std::int64_t begin, std::int64_t end,
                      std::int64_t out, const BlockActivations& x, std::int64_t rows, float* y,
                      std::int64_t y_stride, bool accumulate, std::int16_t* scratch) {
  if (rows < kFewestTileRows) {
    BlockMatMulQuads(weights, begin, end, out, x, rows, y, y_stride, accumulate, scratch);
    return;
  }
  const TileShapes shapes;
  _tile_loadconfig(&shapes);
  alignas(64) float totals[kTileRows * kPanel];
  auto* const unpacked = reinterpret_cast<std::uint8_t*>(scratch);
  for (std::int64_t p = begin; p < end; ++p) {
    const std::uint8_t* panel = weights.data + p * weights.panel_bytes;
    if (weights.four_bits) UnpackPanel(weights, panel, unpacked);
    // The compiler does not know that loading a tile reads memory.
    asm volatile("" ::: "memory");
    const std::uint8_t* codes = weights.four_bits ? unpacked : panel;
    const std::int64_t code_step = weights.four_bits ? kPanel * kBlock : BlockBytes(weights);
    const std::int64_t width = out - p * kPanel < kPanel ? out - p * kPanel : kPanel;
    for (std::int64_t row = 0; row < rows; row += kTileRows) {
      const std::int64_t live = rows - row < kTileRows ? rows - row : kTileRows;
      PanelTimesTile(weights, panel, codes, code_step, x, row, totals);
      WriteTotals(totals, live, width, y + row * y_stride + p * kPanel, y_stride, accumulate);
    }
  }
  _tile_release();
}

#undef KVASIR_TILE_HIGH_0
#undef KVASIR_TILE_LOW_0
#undef KVASIR_TILE_HIGH_1
#undef KVASIR_TILE_LOW_1
#undef KVASIR_TILE_X_HIGH
#undef KVASIR_TILE_X_LOW
#undef KVASIR_TILE_W

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_AMX_INL_H_
