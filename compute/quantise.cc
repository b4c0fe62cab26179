#include "compute/quantise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "compute/quant_blocks.h"

namespace kvasir::compute {
namespace {

static_assert(std::endian::native == std::endian::little, "packed rows are little endian");

constexpr float kMaxCode = 127;

Status CheckSizes(TensorType type, std::size_t floats, std::int64_t dim, std::size_t bytes,
                  std::size_t scales) {
  if (type != TensorType::kI8 && type != TensorType::kBF16 && type != TensorType::kF32) {
    return InvalidArgument("rows are packed as I8, BF16 or F32, not as " +
                           std::string(TensorTypeName(type)));
  }
  if (dim < 1 || floats % static_cast<std::size_t>(dim) != 0) {
    return InvalidArgument(std::to_string(floats) + " numbers are no rows of " +
                           std::to_string(dim));
  }
  const auto rows = static_cast<std::int64_t>(floats / static_cast<std::size_t>(dim));
  if (bytes != static_cast<std::size_t>(rows * PackedRowBytes(type, dim)) ||
      scales != static_cast<std::size_t>(PackedScales(type, rows))) {
    return InvalidArgument("packed rows need other sizes than " + std::to_string(bytes) +
                           " bytes and " + std::to_string(scales) + " scales");
  }
  return Status::Ok();
}

bool AllFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// A scale so small that its row's largest number is not 127 of it would break the error bound;
/// such rows (all below 1e-36) count as zeros.
constexpr float kLeastMagnitude = 1e-36F;

float PackInt8Row(std::span<const float> row, std::byte* codes) {
  float highest = 0;
  for (const float value : row) highest = std::max(highest, std::fabs(value));
  const float scale = highest < kLeastMagnitude ? 0.0F : highest / kMaxCode;
  for (const float value : row) {
    const long code = scale == 0 ? 0 : std::lrint(std::clamp(value / scale, -kMaxCode, kMaxCode));
    *codes++ = static_cast<std::byte>(static_cast<std::int8_t>(code));
  }
  return scale;
}

}  // namespace

Status PackRows(TensorType type, std::span<const float> rows, std::int64_t dim,
                std::span<std::byte> bytes, std::span<float> scales) {
  KVASIR_RETURN_IF_ERROR(CheckSizes(type, rows.size(), dim, bytes.size(), scales.size()));
  if (!AllFinite(rows)) return InvalidArgument("rows to pack hold a NaN or an infinity");
  if (type == TensorType::kF32) {
    if (!rows.empty()) std::memcpy(bytes.data(), rows.data(), bytes.size());
  } else if (type == TensorType::kBF16) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint16_t bits = FloatToBf16(rows[i]);
      // The largest float32 numbers round up to infinity.
      if (!std::isfinite(Bf16ToFloat(bits))) {
        return InvalidArgument("a number is too large for bf16; pack as F32");
      }
      std::memcpy(bytes.data() + i * sizeof bits, &bits, sizeof bits);
    }
  } else {
    const auto n = static_cast<std::size_t>(dim);
    for (std::size_t r = 0; r < scales.size(); ++r) {
      scales[r] = PackInt8Row(rows.subspan(r * n, n), bytes.data() + r * n);
    }
  }
  return Status::Ok();
}

Status UnpackRows(TensorType type, std::span<const std::byte> bytes, std::span<const float> scales,
                  std::int64_t dim, std::span<float> out) {
  KVASIR_RETURN_IF_ERROR(CheckSizes(type, out.size(), dim, bytes.size(), scales.size()));
  for (const float scale : scales) {
    if (!std::isfinite(scale) || scale < 0)
      return Corruption("a packed row has an impossible scale");
  }
  if (type == TensorType::kI8) {
    const auto n = static_cast<std::size_t>(dim);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = scales[i / n] * static_cast<float>(static_cast<std::int8_t>(bytes[i]));
    }
  } else {
    KVASIR_RETURN_IF_ERROR(DequantizeRow(type, bytes, out));
  }
  return AllFinite(out) ? Status::Ok() : Corruption("a packed row holds a NaN or an infinity");
}

}  // namespace kvasir::compute
