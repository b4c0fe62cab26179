#include "compute/quantise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace kvasir::compute {
namespace {

struct Packed {
  std::vector<std::byte> bytes;
  std::vector<float> scales;
};

Packed MakePacked(TensorType type, std::int64_t rows, std::int64_t dim) {
  return {std::vector<std::byte>(static_cast<std::size_t>(rows * PackedRowBytes(type, dim))),
          std::vector<float>(static_cast<std::size_t>(PackedScales(type, rows)))};
}

std::vector<float> RandomRows(std::int64_t rows, std::int64_t dim) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> values(static_cast<std::size_t>(rows * dim));
  for (float& value : values) value = normal(random);
  return values;
}

TEST(Quantise, Int8ComesBackWithinHalfAScale) {
  const std::vector<float> rows = RandomRows(5, 33);
  Packed packed = MakePacked(TensorType::kI8, 5, 33);
  ASSERT_TRUE(PackRows(TensorType::kI8, rows, 33, packed.bytes, packed.scales).ok());
  std::vector<float> back(rows.size());
  ASSERT_TRUE(UnpackRows(TensorType::kI8, packed.bytes, packed.scales, 33, back).ok());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(std::fabs(rows[i] - back[i]), packed.scales[i / 33] * 0.50001F);
  }
}

TEST(Quantise, Bf16ComesBackWithinItsPrecisionAndF32Exactly) {
  const std::vector<float> rows = RandomRows(3, 20);
  std::vector<float> back(rows.size());
  Packed packed = MakePacked(TensorType::kBF16, 3, 20);
  ASSERT_TRUE(PackRows(TensorType::kBF16, rows, 20, packed.bytes, packed.scales).ok());
  ASSERT_TRUE(UnpackRows(TensorType::kBF16, packed.bytes, packed.scales, 20, back).ok());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(std::fabs(rows[i] - back[i]), std::fabs(rows[i]) / 256);
  }
  packed = MakePacked(TensorType::kF32, 3, 20);
  ASSERT_TRUE(PackRows(TensorType::kF32, rows, 20, packed.bytes, packed.scales).ok());
  ASSERT_TRUE(UnpackRows(TensorType::kF32, packed.bytes, packed.scales, 20, back).ok());
  EXPECT_EQ(rows, back);
}

TEST(Quantise, ARowOfZerosHasScaleZeroAndStaysZero) {
  const std::vector<float> rows(8, 0.0F);
  Packed packed = MakePacked(TensorType::kI8, 1, 8);
  ASSERT_TRUE(PackRows(TensorType::kI8, rows, 8, packed.bytes, packed.scales).ok());
  EXPECT_EQ(packed.scales[0], 0.0F);
  std::vector<float> back(8, 1.0F);
  ASSERT_TRUE(UnpackRows(TensorType::kI8, packed.bytes, packed.scales, 8, back).ok());
  EXPECT_EQ(rows, back);
}

TEST(Quantise, RefusesWhatIsNotFiniteInEveryType) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const TensorType type : {TensorType::kI8, TensorType::kBF16, TensorType::kF32}) {
      const std::vector<float> rows = {1, bad, 2, 3};
      Packed packed = MakePacked(type, 1, 4);
      EXPECT_EQ(PackRows(type, rows, 4, packed.bytes, packed.scales).code(),
                StatusCode::kInvalidArgument);
    }
  }
}

TEST(Quantise, RefusesNumbersThatBf16RoundsToInfinity) {
  const std::vector<float> rows = {std::numeric_limits<float>::max()};
  Packed packed = MakePacked(TensorType::kBF16, 1, 1);
  EXPECT_EQ(PackRows(TensorType::kBF16, rows, 1, packed.bytes, packed.scales).code(),
            StatusCode::kInvalidArgument);
}

TEST(Quantise, RefusesWrongSizesAndTypes) {
  const std::vector<float> rows(10);
  Packed packed = MakePacked(TensorType::kI8, 2, 5);
  EXPECT_FALSE(PackRows(TensorType::kI8, rows, 4, packed.bytes, packed.scales).ok());
  EXPECT_FALSE(PackRows(TensorType::kI8, rows, 0, packed.bytes, packed.scales).ok());
  EXPECT_FALSE(PackRows(TensorType::kI8, rows, 5, packed.bytes, {}).ok());
  EXPECT_FALSE(PackRows(TensorType::kQ8_0, rows, 5, packed.bytes, packed.scales).ok());
}

TEST(Quantise, CallsImpossibleScalesAndNumbersCorrupt) {
  std::vector<float> out(2);
  const std::vector<std::byte> codes(2);
  const std::vector<float> negative = {-1.0F};
  const std::vector<float> nan = {std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(UnpackRows(TensorType::kI8, codes, negative, 2, out).code(), StatusCode::kCorruption);
  EXPECT_EQ(UnpackRows(TensorType::kI8, codes, nan, 2, out).code(), StatusCode::kCorruption);
  const std::vector<std::byte> infinite = {std::byte{0x80}, std::byte{0x7F}, std::byte{0},
                                           std::byte{0}};
  EXPECT_EQ(UnpackRows(TensorType::kBF16, infinite, {}, 2, out).code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace kvasir::compute
