#include "compute/quant_blocks.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/source_dir.h"

namespace kvasir::compute {
namespace {

constexpr TensorType kFixtureTypes[] = {TensorType::kF32,  TensorType::kF16,  TensorType::kBF16,
                                        TensorType::kQ8_0, TensorType::kQ4_0, TensorType::kQ4_1,
                                        TensorType::kQ5_0, TensorType::kQ5_1, TensorType::kQ4_K,
                                        TensorType::kQ5_K, TensorType::kQ6_K};

/// The fixture holds for each type a row of 256 numbers with random codes and what the PyPI package
/// `gguf` 0.19 reads from it.
TEST(QuantBlocks, ReadsEveryTypeAsTheGgufPackageDoes) {
  std::ifstream file(test::SourceDir() / "tests/fixtures/quant_blocks/blocks.bin",
                     std::ios::binary);
  const std::string fixture{std::istreambuf_iterator<char>(file), {}};
  std::span<const std::byte> rest = std::as_bytes(std::span(fixture));
  for (const TensorType type : kFixtureTypes) {
    SCOPED_TRACE(TensorTypeName(type));
    const auto size = static_cast<size_t>(RowBytes(type, 256));
    ASSERT_GE(rest.size(), size + 1024);
    std::array<float, 256> expected;
    std::memcpy(expected.data(), rest.data() + size, sizeof(expected));
    std::array<float, 256> read;
    ASSERT_TRUE(DequantizeRow(type, rest.first(size), read).ok());
    for (size_t i = 0; i < 256; ++i) {
      ASSERT_NEAR(read[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << i;
    }
    rest = rest.subspan(size + 1024);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(QuantBlocks, RefusesRowsThatDoNotFit) {
  std::vector<std::byte> row(34);
  std::vector<float> out(32);
  EXPECT_TRUE(DequantizeRow(TensorType::kQ8_0, row, out).ok());
  EXPECT_FALSE(DequantizeRow(TensorType::kQ8_0, std::span(row).first(33), out).ok());
  EXPECT_FALSE(DequantizeRow(TensorType::kQ8_0, row, std::span(out).first(31)).ok());
  EXPECT_FALSE(DequantizeRow(static_cast<TensorType>(99), row, out).ok());
  EXPECT_TRUE(DequantizeRow(TensorType::kQ6_K, {}, {}).ok());
}

TEST(QuantBlocks, HalvesSurviveTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = HalfToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      ASSERT_EQ(FloatToHalf(value), half) << bits;
    }
  }
}

TEST(QuantBlocks, RoundsToTheNearestHalfTiesToEven) {
  EXPECT_EQ(FloatToHalf(1.0F + 0x1p-11F), 0x3C00) << "a tie goes down to even";
  EXPECT_EQ(FloatToHalf(1.0F + 0x3p-11F), 0x3C02) << "a tie goes up to even";
  EXPECT_EQ(FloatToHalf(std::nextafter(1.0F + 0x1p-11F, 2.0F)), 0x3C01);
  EXPECT_EQ(FloatToHalf(65519.0F), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520.0F), 0x7C00);
  EXPECT_EQ(FloatToHalf(0x1p-25F), 0) << "half of the smallest subnormal";
  EXPECT_EQ(FloatToHalf(-0x1.8p-25F), 0x8001);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::infinity()), 0x7C00);
}

TEST(QuantBlocks, RoundsToTheNearestBf16TiesToEven) {
  EXPECT_EQ(FloatToBf16(1.0F), 0x3F80);
  EXPECT_EQ(FloatToBf16(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(FloatToBf16(1.0F + 0x3p-8F), 0x3F82);
  EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(std::nanf("")))));
  EXPECT_EQ(Bf16ToFloat(0xC040), -3.0F);
}

}  // namespace
}  // namespace kvasir::compute
