#include "compute/quant_blocks.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

namespace kvasir::compute {
namespace {

/// Little-endian load of a trivially copyable number from unaligned bytes.
template <typename T>
T Load(const std::byte* bytes) {
  static_assert(std::endian::native == std::endian::little, "model files are little endian");
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

float LoadHalf(const std::byte* bytes) { return HalfToFloat(Load<uint16_t>(bytes)); }

int Low(std::byte b) { return std::to_integer<int>(b) & 15; }
int High(std::byte b) { return std::to_integer<int>(b) >> 4; }

void Block8_0(const std::byte* block, float* out) {
  const float d = LoadHalf(block);
  for (int i = 0; i < 32; ++i) out[i] = d * Load<int8_t>(block + 2 + i);
}

void Block4_0(const std::byte* block, float* out) {
  const float d = LoadHalf(block);
  const std::byte* codes = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (Low(codes[i]) - 8);
    out[i + 16] = d * (High(codes[i]) - 8);
  }
}

void Block4_1(const std::byte* block, float* out) {
  const float d = LoadHalf(block);
  const float m = LoadHalf(block + 2);
  const std::byte* codes = block + 4;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * Low(codes[i]) + m;
    out[i + 16] = d * High(codes[i]) + m;
  }
}

/// Bit `i` of a 32-bit mask, in the place of a fifth code bit.
int FifthBit(uint32_t mask, int i) { return static_cast<int>((mask >> i) & 1) << 4; }

void Block5_0(const std::byte* block, float* out) {
  const float d = LoadHalf(block);
  const auto high = Load<uint32_t>(block + 2);
  const std::byte* codes = block + 6;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * ((Low(codes[i]) | FifthBit(high, i)) - 16);
    out[i + 16] = d * ((High(codes[i]) | FifthBit(high, i + 16)) - 16);
  }
}

void Block5_1(const std::byte* block, float* out) {
  const float d = LoadHalf(block);
  const float m = LoadHalf(block + 2);
  const auto high = Load<uint32_t>(block + 4);
  const std::byte* codes = block + 8;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (Low(codes[i]) | FifthBit(high, i)) + m;
    out[i + 16] = d * (High(codes[i]) | FifthBit(high, i + 16)) + m;
  }
}

struct ScaleAndMin {
  float scale;
  float min;
};

/// The j-th of eight pairs of 6-bit numbers in 12 bytes: the first four scales and mins lie in the
/// low six bits of bytes 0..3 and 4..7, whose spare bits top up the nibbles of bytes 8..11.
ScaleAndMin SixBitPair(const std::byte* packed, int j) {
  const auto at = [packed](int i) { return std::to_integer<int>(packed[i]); };
  if (j < 4) return {static_cast<float>(at(j) & 63), static_cast<float>(at(j + 4) & 63)};
  return {static_cast<float>((at(j + 4) & 15) | (at(j - 4) >> 6 << 4)),
          static_cast<float>((at(j + 4) >> 4) | (at(j) >> 6 << 4))};
}

/// Q4_K and Q5_K: 32 code bytes hold the low nibbles of one group of 32 and the high nibbles of the
/// next. `high` (Q5_K only) has one bit per group in each of its 32 bytes.
void BlockK(const std::byte* block, const std::byte* high, const std::byte* codes, float* out) {
  const float d = LoadHalf(block);
  const float dmin = LoadHalf(block + 2);
  for (int group = 0; group < 8; ++group) {
    const ScaleAndMin pair = SixBitPair(block + 4, group);
    const float scale = d * pair.scale;
    const float offset = dmin * pair.min;
    const std::byte* bytes = codes + group / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      int code = group % 2 == 0 ? Low(bytes[i]) : High(bytes[i]);
      if (high != nullptr) code |= (std::to_integer<int>(high[i]) >> group & 1) << 4;
      out[group * 32 + i] = scale * static_cast<float>(code) - offset;
    }
  }
}

void Block4K(const std::byte* block, float* out) { BlockK(block, nullptr, block + 16, out); }
void Block5K(const std::byte* block, float* out) { BlockK(block, block + 16, block + 48, out); }

/// Two halves of 128 numbers; in each, run r of 32 takes nibble r / 2 of low byte (r % 2)·32 + i
/// and bits 2r of high byte i.
void Block6K(const std::byte* block, float* out) {
  const float d = LoadHalf(block + 208);
  for (int half = 0; half < 2; ++half) {
    const std::byte* low = block + half * 64;
    const std::byte* high = block + 128 + half * 32;
    const std::byte* scales = block + 192 + half * 8;
    for (int run = 0; run < 4; ++run) {
      for (int i = 0; i < 32; ++i) {
        const std::byte packed = low[run % 2 * 32 + i];
        const int nibble = run < 2 ? Low(packed) : High(packed);
        const int code = nibble | (std::to_integer<int>(high[i]) >> (2 * run) & 3) << 4;
        const float scale = d * Load<int8_t>(scales + 2 * run + i / 16);
        out[half * 128 + run * 32 + i] = scale * static_cast<float>(code - 32);
      }
    }
  }
}

void One32(const std::byte* bytes, float* out) { *out = Load<float>(bytes); }
void One16(const std::byte* bytes, float* out) { *out = LoadHalf(bytes); }
void OneBf16(const std::byte* bytes, float* out) { *out = Bf16ToFloat(Load<uint16_t>(bytes)); }
void OneI8(const std::byte* bytes, float* out) { *out = Load<int8_t>(bytes); }
void OneI32(const std::byte* bytes, float* out) { *out = static_cast<float>(Load<int32_t>(bytes)); }

using BlockReader = void (*)(const std::byte* block, float* out);

BlockReader ReaderOf(TensorType type) {
  switch (type) {
    case TensorType::kF32:
      return One32;
    case TensorType::kF16:
      return One16;
    case TensorType::kBF16:
      return OneBf16;
    case TensorType::kI8:
      return OneI8;
    case TensorType::kI32:
      return OneI32;
    case TensorType::kQ8_0:
      return Block8_0;
    case TensorType::kQ4_0:
      return Block4_0;
    case TensorType::kQ4_1:
      return Block4_1;
    case TensorType::kQ5_0:
      return Block5_0;
    case TensorType::kQ5_1:
      return Block5_1;
    case TensorType::kQ4_K:
      return Block4K;
    case TensorType::kQ5_K:
      return Block5K;
    case TensorType::kQ6_K:
      return Block6K;
  }
  return nullptr;
}

}  // namespace

float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31;
  const uint32_t fraction = half & 0x3FF;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | fraction << 13);
  if (exponent == 0) {  // Zero or subnormal: fraction · 2^-24, exact in float32.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t FloatToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return sign | 0x7E00;   // NaN
  if (magnitude >= 0x477FF000) return sign | 0x7C00;  // 65520 and more round to infinity.
  if (magnitude < 0x38800000) {                       // Below 2^-14: a multiple of 2^-24.
    const float steps = std::bit_cast<float>(magnitude) * 0x1p24F;
    return sign | static_cast<uint16_t>(std::nearbyint(steps));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return sign | static_cast<uint16_t>((rounded - 0x38000000) >> 13);
}

float Bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t FloatToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

Status DequantizeRow(TensorType type, std::span<const std::byte> row, std::span<float> out) {
  const BlockReader read = ReaderOf(type);
  if (read == nullptr) return InvalidArgument("dequantize: unknown tensor type");
  const int64_t step = BlockElements(type);
  const auto elements = static_cast<int64_t>(out.size());
  if (elements % step != 0 || static_cast<int64_t>(row.size()) != RowBytes(type, elements)) {
    return InvalidArgument("dequantize: " + std::to_string(row.size()) + " bytes are not " +
                           std::to_string(elements) + " numbers of type " +
                           std::string(TensorTypeName(type)));
  }
  const std::byte* block = row.data();
  for (int64_t i = 0; i < elements; i += step, block += BlockBytes(type)) {
    read(block, out.data() + i);
  }
  return Status::Ok();
}

}  // namespace kvasir::compute
