// Packing of pooled keys, values and router keys: rows of float32 to int8 (one scale per row), bf16
// or float32 bytes, and back. These bytes are what storage keeps, so that they are little endian
// and the same on every machine.
#ifndef KVASIR_COMPUTE_QUANTISE_H_
#define KVASIR_COMPUTE_QUANTISE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/tensor_type.h"
#include "kvasir/status.h"

namespace kvasir::compute {

/// Bytes of one packed row of `dim` numbers, scales not counted: kI8, kBF16 or kF32.
constexpr std::int64_t PackedRowBytes(TensorType type, std::int64_t dim) {
  return RowBytes(type, dim);
}
/// Scales that go with `rows` packed rows: one each for kI8, none otherwise.
constexpr std::int64_t PackedScales(TensorType type, std::int64_t rows) {
  return type == TensorType::kI8 ? rows : 0;
}

/// Packs rows [n, dim] (n = rows.size() / dim).
///  kI8: scale = max|x| / 127, code = round(x / scale), half to even, in [-127, 127]; a row of
///  zeros
///       has scale 0. |x - scale * code| ≤ scale / 2.
///  kBF16: round to nearest even, relative error ≤ 2^-8.   kF32: as it is.
/// `bytes` has n * PackedRowBytes, `scales` PackedScales(type, n). kInvalidArgument, and nothing
/// useful written, for NaN, infinity, another type or a wrong size. Thread-safe.
Status PackRows(TensorType type, std::span<const float> rows, std::int64_t dim,
                std::span<std::byte> bytes, std::span<float> scales);

/// The inverse: writes out.size() / dim rows. kInvalidArgument for a wrong size or type;
/// kCorruption for a scale that is negative or not finite, or a number that is not finite.
Status UnpackRows(TensorType type, std::span<const std::byte> bytes, std::span<const float> scales,
                  std::int64_t dim, std::span<float> out);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_QUANTISE_H_
