// The inner loops of the cpu backend: one table of functions per instruction set. Plain pointers
// and sizes only; threads, shapes and workspaces are the caller's. Strides count elements. Nothing
// needs to be aligned unless said.
#ifndef KVASIR_COMPUTE_CPU_KERNELS_H_
#define KVASIR_COMPUTE_CPU_KERNELS_H_

#include <cstdint>

namespace kvasir::compute::cpu {

enum class Isa : std::uint8_t;  // isa.h, not included: it brings in the standard library.

/// Keys seen by AttendTile are packed in tiles of 64: [head_dim][64]. A tile of K and one of V for
/// D = 128 are 64 KiB, half of the smallest second-level cache.
inline constexpr std::int64_t kKeyTile = 64;
/// Query rows that share a pass over the keys: 24 = 4 register blocks of 6.
inline constexpr std::int64_t kQueryTile = 24;
/// Outputs of a block-quantised matrix that are worked on side by side: one AVX-512 register of
/// i32.
inline constexpr std::int64_t kPanel = 16;
/// Chunks whose int8 router keys share cache lines, and how many numbers of each a line holds: four
/// chunks of 16 are 64 bytes. A small group, so that one chunk is read without many others.
inline constexpr std::int64_t kRouteGroup = 4;
inline constexpr std::int64_t kRouteLine = 16;
/// Numbers of a key with zeros up to whole lines.
constexpr std::int64_t RouteWidth(std::int64_t dim) {
  return (dim + kRouteLine - 1) / kRouteLine * kRouteLine;
}
/// Slots of a block of routing sketches: two for each byte of the smallest vector.
inline constexpr std::int64_t kSketchSlots = 32;
/// Groups of four numbers in a sketch of `dim`, filled up to the widest vector's four.
constexpr std::int64_t SketchQuads(std::int64_t dim) { return (dim + 15) / 16 * 4; }
/// Inputs that share a weight scale and an activation scale.
inline constexpr std::int64_t kBlock = 32;
/// Rows of activations whose scales lie beside each other: those of the widest kernel.
inline constexpr std::int64_t kScaleRows = 16;

/// Attention of up to kQueryTile query rows that share a key-value head.
struct AttendTask {
  const float* q;               ///< [rows, head_dim], contiguous, already scaled.
  std::int64_t rows;            ///< 1 … kQueryTile.
  std::int64_t head_dim;        ///< D
  const std::int64_t* visible;  ///< [rows], ascending: row r sees the first visible[r] keys.
  const float* const* keys;     ///< [keys] rows of K; used when `tiles` is null.
  const float* const* values;   ///< [keys] rows of V.
  const float* tiles;  ///< Packed keys, kKeyTile * D floats for each kKeyTile keys, or null.
  float* out;          ///< [rows, head_dim], contiguous.
};

/// Block-quantised weights as kernels see them (block_weights.h makes them): for each panel of
/// kPanel outputs, for each block of kBlock inputs: codes, then kPanel scales d, then kPanel minima
/// m; weight = d · code + m.
struct BlockPanels {
  const std::uint8_t* data;
  std::int64_t blocks;  ///< Per panel.
  std::int64_t panel_bytes;
  bool four_bits;    ///< Codes of 4 bits, else 8.
  bool half_scales;  ///< d, m are f16, else f32.
};

/// Activations quantised to 15 bits per block: x ≈ scale · code, |code| ≤ 16256. Scales and sums of
/// kScaleRows rows lie beside each other, as kernels that take several rows read them; so much room
/// there is for all three, although what is behind the last row means nothing.
struct BlockActivations {
  std::int16_t* codes;  ///< [rows, blocks * kBlock]; as the kernels of this table want them.
  float* scales;        ///< [rows / kScaleRows, blocks, kScaleRows]
  float* sums;          ///< The same: scale · Σ code.
};
/// Where the first scale of a row lies; those of its other blocks are kScaleRows further each.
constexpr std::int64_t FirstScale(std::int64_t row, std::int64_t blocks) {
  return row / kScaleRows * kScaleRows * blocks + row % kScaleRows;
}

/// A float32 matrix as kernels see it: for each f32_panel outputs [in][f32_panel], zeros behind the
/// last output.
struct F32Panels {
  const float* data;
  std::int64_t in;
  std::int64_t out;
};

/// Routing queries in int8 arithmetic: q ≈ scale · code.
struct RouteQueries {
  const std::int16_t* codes;    ///< [count, RouteWidth(dim)], as place_query left them.
  const float* scales;          ///< [count]
  const std::int32_t* offsets;  ///< [count], from place_query.
  std::int64_t count;
  bool fine;  ///< Codes have 15 bits, else 8.
};

/// Routing queries as tables for sketches: the sum of a quad of numbers under each of its 16
/// patterns of signs is about step · code, less what `starts` takes off for all quads at once.
struct SketchQueries {
  const std::uint8_t* tables;  ///< [count, quads, 16], 64-byte aligned.
  const float* steps;          ///< [count]
  const float* starts;         ///< [count]
  const float* bases;          ///< [count]: query · centre.
  std::int64_t count;
};

struct Kernels {
  /// y[n] = weight · x / sqrt(mean(x²) + eps).
  void (*rms_norm)(const float* x, const float* weight, std::int64_t n, float eps, float* y);
  /// y[n] = silu(gate) · up.
  void (*silu_mul)(const float* gate, const float* up, std::int64_t n, float* y);
  /// x[n] += bias[n].
  void (*add)(const float* bias, std::int64_t n, float* x);
  /// Turns one head by half angles given as cosines and sines [half].
  void (*rope)(float* head, const float* cosines, const float* sines, std::int64_t half,
               bool interleaved);
  /// out[n] = mean of `count` rows of x, summed row by row.
  void (*mean)(const float* x, std::int64_t stride, std::int64_t count, std::int64_t n, float* out);
  /// x[n] /= max(|x|₂, 1e-12).
  void (*unit)(float* x, std::int64_t n);

  /// Packs up to kKeyTile rows of K into tile [head_dim][kKeyTile], zeros in missing columns.
  void (*pack_keys)(const float* const* keys, std::int64_t count, std::int64_t head_dim,
                    float* tile);
  void (*attend)(const AttendTask& task);

  /// How codes of a block lie: inputs in groups of this many beside each other per output.
  std::int64_t block_group;
  /// Quantises one row x [n]; n ≤ blocks * kBlock, the rest is zeros. Scales and sums are the row's
  /// first ones.
  void (*quantise_row)(const float* x, std::int64_t n, std::int64_t blocks, std::int16_t* codes,
                       float* scales, float* sums);
  /// y[row, o] (+)= Σ x · w for outputs o of panels [begin, end); y has `out` columns in all.
  /// `scratch` holds blocks * kBlock * kPanel int16, 64-byte aligned.
  void (*block_matmul)(const BlockPanels& weights, std::int64_t begin, std::int64_t end,
                       std::int64_t out, const BlockActivations& x, std::int64_t rows, float* y,
                       std::int64_t y_stride, bool accumulate, std::int16_t* scratch);

  /// Outputs of a panel of float32 weights.
  std::int64_t f32_panel;
  /// y[row, o] (+)= Σ x · w for outputs o of panels [begin, end).
  void (*f32_matmul)(const F32Panels& weights, std::int64_t begin, std::int64_t end, const float* x,
                     std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride,
                     bool accumulate);

  /// Brings a query's codes [dim] into the order of route_int8, [RouteWidth(dim)], and says what is
  /// to be added to its sums: keys are stored with 128 added.
  void (*place_query)(const std::int16_t* codes, std::int64_t dim, bool fine, std::int16_t* to,
                      std::int32_t* offset);
  /// scores[groups * 4] = scale of the key · highest over queries of (query scale · dot of codes).
  /// `keys` are groups of 4: [width / 16][4][16] bytes, 64-byte aligned. Bit for bit the same in
  /// every table.
  void (*route_int8)(const std::uint8_t* keys, const float* scales, std::int64_t groups,
                     std::int64_t width, const RouteQueries& queries, float* scores);
  /// Makes the sketch of one key x [dim], which is used up: x less `centre`, turned
  /// (route_sketch.h: signs, then a transform of `order` rows). Its signs go into `bits`, a byte of
  /// every 16, four to a quad, shifted by 0 or 4 beside what the other half holds; returns the
  /// gain.
  float (*sketch_key)(float* x, const float* centre, const float* signs, std::int64_t dim,
                      std::int64_t order, int shift, std::uint8_t* bits);
  /// scores[blocks * 32] = highest over queries of base + gain · (step · Σ codes + start):
  /// estimates from sketches, blocks of [quads][16] bytes (route_sketch.h). The sums of codes are
  /// exact.
  void (*route_sketch)(const std::uint8_t* bits, const float* gains, std::int64_t blocks,
                       std::int64_t quads, const SketchQueries& queries, float* scores);
  /// The same as route_int8 over blocks of 16 float32 keys, [dim][16], and queries [count, dim].
  void (*route_f32)(const float* keys, std::int64_t blocks, std::int64_t dim, const float* queries,
                    std::int64_t count, float* scores);
};

/// The table for `isa`.
const Kernels& KernelsFor(Isa isa);

const Kernels& BaselineKernels();
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();
const Kernels& AmxKernels();

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_KERNELS_H_
