// Rows of any tensor type, read as float32. Plain loops: the reference that every fast kernel is
// compared with.
//
// Layouts (all little endian; d, m: f16; q: codes; the formulas are those of GGUF's writers):
//   Q8_0  d q8[32]                      x = d·q
//   Q4_0  d q4[16]                      x = d·(q − 8);   byte i holds numbers i and i + 16
//   Q4_1  d m q4[16]                    x = d·q + m
//   Q5_0  d high[4] q4[16]              x = d·(q − 16);  bit i of `high` is the fifth bit of number
//   i Q5_1  d m high[4] q4[16]            x = d·q + m Q4_K  d dmin scales[12] q4[128]     8 groups
//   of 32: x = d·scale·q − dmin·min (6 bits each) Q5_K  d dmin scales[12] high[32] q4[128] Q6_K
//   low[128] high[64] scale8[16] d   16 groups of 16: x = d·scale·(q − 32)
#ifndef KVASIR_COMPUTE_QUANT_BLOCKS_H_
#define KVASIR_COMPUTE_QUANT_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/tensor_type.h"
#include "kvasir/status.h"

namespace kvasir::compute {

/// IEEE half precision to float32; exact, infinities and NaN kept.
float HalfToFloat(uint16_t half);
/// Float32 to half precision, rounded to nearest, ties to even; too large becomes infinity.
uint16_t FloatToHalf(float value);
/// The upper half of a float32; exact.
float Bf16ToFloat(uint16_t bits);
/// Rounded to nearest, ties to even; NaN stays NaN.
uint16_t FloatToBf16(float value);

/// Writes the out.size() numbers that `row` holds. Needs out.size() to be a multiple of
/// BlockElements(type) and row.size() to be RowBytes(type, out.size()); kInvalidArgument otherwise,
/// with nothing written. `row` need not be aligned. Thread-safe. I8 and I32 are taken as they are.
Status DequantizeRow(TensorType type, std::span<const std::byte> row, std::span<float> out);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_QUANT_BLOCKS_H_
