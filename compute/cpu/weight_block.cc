#include "compute/cpu/weight_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compute/quant_blocks.h"

namespace kvasir::compute::cpu {
namespace {

float HalfAt(const std::uint8_t* bytes) {
  std::uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return HalfToFloat(half);
}

/// Byte i of `low` holds the low four bits of codes i and i + 16.
void TakeNibbles(const std::uint8_t* low, WeightBlock* block) {
  for (int i = 0; i < 16; ++i) {
    block->codes[i] = low[i] & 15;
    block->codes[i + 16] = low[i] >> 4;
  }
}

void TakeFifthBits(const std::uint8_t* high, WeightBlock* block) {
  for (int i = 0; i < 32; ++i) {
    block->codes[i] |= static_cast<std::uint8_t>((high[i / 8] >> (i % 8) & 1) << 4);
  }
}

void SplitQ8(const std::uint8_t* from, WeightBlock* block) {
  block->d = HalfAt(from);
  block->m = -128 * block->d;
  for (int i = 0; i < 32; ++i) block->codes[i] = from[2 + i] ^ 0x80;  // signed to offset 128
}

void SplitQ4Or5(TensorType type, const std::uint8_t* from, WeightBlock* block) {
  const bool five = type == TensorType::kQ5_0 || type == TensorType::kQ5_1;
  const bool has_minimum = type == TensorType::kQ4_1 || type == TensorType::kQ5_1;
  block->d = HalfAt(from);
  block->m = has_minimum ? HalfAt(from + 2) : (five ? -16 : -8) * block->d;
  from += has_minimum ? 4 : 2;
  TakeNibbles(from + (five ? 4 : 0), block);
  if (five) TakeFifthBits(from, block);
}

/// The 6-bit scale and minimum of group g of a K block: four plain, then four in split bits.
void GroupScales(const std::uint8_t* packed, int g, int* scale, int* minimum) {
  if (g < 4) {
    *scale = packed[g] & 63;
    *minimum = packed[g + 4] & 63;
  } else {
    *scale = (packed[g + 4] & 15) | (packed[g - 4] >> 6) << 4;
    *minimum = packed[g + 4] >> 4 | (packed[g] >> 6) << 4;
  }
}

/// One 256-block of Q4_K or Q5_K: eight blocks.
void SplitK(TensorType type, const std::uint8_t* from, WeightBlock* blocks) {
  const bool five = type == TensorType::kQ5_K;
  const std::uint8_t* high = from + 16;
  const std::uint8_t* low = from + (five ? 48 : 16);
  for (int g = 0; g < 8; ++g) {
    int scale = 0;
    int minimum = 0;
    GroupScales(from + 4, g, &scale, &minimum);
    blocks[g].d = HalfAt(from) * static_cast<float>(scale);
    blocks[g].m = -HalfAt(from + 2) * static_cast<float>(minimum);
    for (int i = 0; i < 32; ++i) {
      const std::uint8_t both = low[g / 2 * 32 + i];
      blocks[g].codes[i] = g % 2 == 0 ? both & 15 : both >> 4;
      if (five) blocks[g].codes[i] |= static_cast<std::uint8_t>((high[i] >> g & 1) << 4);
    }
  }
}

/// The least f16 that is at least x, for x ≥ 0 in f16's range; else x.
float HalfAtLeast(float x) {
  std::uint16_t half = FloatToHalf(x);
  if (HalfToFloat(half) < x) ++half;
  const float up = HalfToFloat(half);
  return std::isfinite(up) ? up : x;
}

/// Symmetric rounding to 8 bits.
void RoundBlock(const float* values, std::int64_t count, WeightBlock* block) {
  float highest = 0;
  for (std::int64_t i = 0; i < count; ++i) highest = std::max(highest, std::fabs(values[i]));
  block->d = HalfAtLeast(highest / 127);
  block->m = -128 * block->d;
  for (std::int64_t i = 0; i < kBlock; ++i) {
    const float x = i < count && block->d > 0 ? values[i] / block->d : 0.0F;
    block->codes[i] = static_cast<std::uint8_t>(128 + std::lrintf(std::clamp(x, -127.0F, 127.0F)));
  }
}

Status RoundRow(const HostMatrix& part, std::span<const std::byte> bytes, std::span<float> values,
                std::span<WeightBlock> blocks) {
  KVASIR_RETURN_IF_ERROR(DequantizeRow(part.type, bytes, values));
  for (const float value : values) {
    if (!std::isfinite(value)) return Corruption("a weight is not a finite number");
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto begin = static_cast<std::int64_t>(b) * kBlock;
    RoundBlock(values.data() + begin, std::min(kBlock, part.cols - begin), &blocks[b]);
  }
  return Status::Ok();
}

}  // namespace

bool SplitsExactly(TensorType type) { return IsQuantised(type) && type != TensorType::kQ6_K; }

bool FitsFourBits(TensorType type) {
  return type == TensorType::kQ4_0 || type == TensorType::kQ4_1 || type == TensorType::kQ4_K;
}

bool HasHalfScales(TensorType type) {
  return type != TensorType::kQ4_K && type != TensorType::kQ5_K;
}

Status SplitRow(const HostMatrix& part, std::int64_t row, std::span<float> values,
                std::span<WeightBlock> blocks) {
  const auto row_bytes = static_cast<std::size_t>(RowBytes(part.type, part.cols));
  const auto bytes = part.bytes.subspan(static_cast<std::size_t>(row) * row_bytes, row_bytes);
  if (!SplitsExactly(part.type)) return RoundRow(part, bytes, values, blocks);
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::int64_t step = BlockElements(part.type) / kBlock;
  for (std::size_t b = 0; b < blocks.size(); b += static_cast<std::size_t>(step)) {
    if (step > 1) {
      SplitK(part.type, from, &blocks[b]);
    } else if (part.type == TensorType::kQ8_0) {
      SplitQ8(from, &blocks[b]);
    } else {
      SplitQ4Or5(part.type, from, &blocks[b]);
    }
    from += BlockBytes(part.type);
  }
  return Status::Ok();
}

}  // namespace kvasir::compute::cpu
