#include "compute/route_sketch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "compute/cpu/isa.h"
#include "compute/reference/route.h"
#include "tests/support/normal.h"

namespace kvasir::compute {
namespace {

using test::Normal;

float Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return static_cast<float>(sum);
}

std::vector<cpu::Isa> IsasHere() {
  std::vector<cpu::Isa> isas = {cpu::Isa::kBaseline};
  for (const cpu::Isa isa : {cpu::Isa::kAvx2, cpu::Isa::kAvx512}) {
    if (isa <= cpu::DetectIsa()) isas.push_back(isa);
  }
  return isas;
}

class SketchDims : public testing::TestWithParam<std::int64_t> {};

TEST_P(SketchDims, TurningKeepsDotProducts) {
  const std::int64_t dim = GetParam();
  const SketchBasis basis(dim, Normal(dim, 1));
  std::vector<float> a = Normal(dim, 2);
  std::vector<float> b = Normal(dim, 3);
  const float before = Dot(a, b);
  basis.Turn(a);
  basis.Turn(b);
  EXPECT_NEAR(Dot(a, b), before, 1e-4F * static_cast<float>(dim));
}

TEST_P(SketchDims, EveryInstructionSetEstimatesAsTheReferenceDoes) {
  constexpr std::int64_t kSlots = 96;
  const std::int64_t dim = GetParam();
  const std::int64_t quads = cpu::SketchQuads(dim);
  std::mt19937 random(static_cast<std::uint32_t>(dim));
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(kSlots / 32 * quads * 16));
  for (std::uint8_t& byte : bits) byte = static_cast<std::uint8_t>(random());
  std::vector<float> gains = Normal(kSlots, 4);
  for (float& gain : gains) gain = std::fabs(gain);
  for (const std::int64_t count : {1, 2, 3, 5}) {
    SketchQueryPreparer preparer;
    const SketchBasis basis(dim, Normal(dim, 5));
    const cpu::SketchQueries queries = preparer.Prepare(basis, 0, Normal(count * dim, 6));
    for (const cpu::Isa isa : IsasHere()) {
      std::vector<float> scores(kSlots);
      cpu::KernelsFor(isa).route_sketch(bits.data(), gains.data(), kSlots / 32, quads, queries,
                                        scores.data());
      for (std::int64_t slot = 0; slot < kSlots; ++slot) {
        const double expected = reference::EstimateSketch(bits.data() + slot / 32 * quads * 16,
                                                          gains[static_cast<std::size_t>(slot)],
                                                          quads, queries, slot % 32);
        EXPECT_NEAR(scores[static_cast<std::size_t>(slot)], expected,
                    1e-5 * (std::fabs(expected) + static_cast<double>(dim)))
            << cpu::IsaName(isa) << ", slot " << slot << ", queries " << count;
      }
    }
  }
}

TEST_P(SketchDims, EveryInstructionSetSketchesAsTheFirst) {
  const std::int64_t dim = GetParam();
  const SketchBasis basis(dim, Normal(dim, 9));
  const std::vector<float> key = Normal(dim, 10);
  std::vector<float> turned = key;
  double norm1 = 0;
  double squares = 0;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] -= basis.Centre(0)[i];
  basis.Turn(turned);
  for (const float x : turned) {
    norm1 += std::fabs(x);
    squares += double{x} * double{x};
  }
  for (const int shift : {0, 4}) {
    for (const cpu::Isa isa : IsasHere()) {
      std::vector<float> used = key;
      std::vector<std::uint8_t> bits(static_cast<std::size_t>(dim / 4 * 16), 0xA5);
      const float gain =
          cpu::KernelsFor(isa).sketch_key(used.data(), basis.Centre(0).data(), basis.signs(), dim,
                                          basis.order(), shift, bits.data());
      EXPECT_NEAR(gain, squares / norm1, 1e-5 * squares / norm1);
      for (std::size_t i = 0; i < turned.size(); ++i) {
        const unsigned byte = bits[i / 4 * 16];
        if (std::fabs(turned[i]) > 1e-4F) {
          EXPECT_EQ(byte >> (static_cast<unsigned>(shift) + i % 4) & 1, turned[i] > 0 ? 1U : 0U);
        }
        EXPECT_EQ(byte >> (4 - shift) & 15, shift == 0 ? 0xAU : 0x5U) << "the other half's bits";
        for (std::size_t other = 1; other < 16; ++other) {
          ASSERT_EQ(bits[i / 4 * 16 + other], 0xA5);
        }
      }
    }
  }
}

TEST_P(SketchDims, ErrsAsMuchAsItSays) {
  const std::int64_t dim = GetParam();
  if (dim < 64) GTEST_SKIP() << "the error's size is a statement about many numbers";
  constexpr std::int64_t kKeys = 512;
  std::vector<float> centre = Normal(dim, 7);
  for (float& x : centre) x *= 5;  // Keys are far from zero, near each other.
  auto basis = std::make_shared<const SketchBasis>(dim, centre);
  const std::unique_ptr<SketchPage> page = SketchPage::Make(basis, kKeys, /*will_fill=*/false);
  const std::vector<float> query = Normal(dim, 8);
  std::vector<float> exact;
  for (std::int64_t slot = 0; slot < kKeys; ++slot) {
    std::vector<float> key = Normal(dim, 100 + static_cast<std::uint32_t>(slot));
    // Uneven numbers, as of keys nobody turned.
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = centre[i] + key[i] * (i % 7 == 0 ? 4 : 1);
    exact.push_back(Dot(query, key));
    page->Put(cpu::BaselineKernels(), 0, slot, key);
  }
  SketchQueryPreparer preparer;
  const cpu::SketchQueries queries = preparer.Prepare(*basis, 0, query);
  std::vector<float> scores(kKeys);
  page->Score(cpu::BaselineKernels(), queries, 0, 0, kKeys / 32, scores.data());
  double squares = 0;
  double bias = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = double{scores[i]} - double{exact[i]};
    squares += error * error / kKeys;
    bias += error / kKeys;
  }
  const double stated = double{preparer.longest()} * double{page->HighestGain(0)} * kSketchError;
  EXPECT_LT(std::sqrt(squares), 1.05 * stated);
  EXPECT_GT(std::sqrt(squares), 0.5 * stated) << "the highest gain is not that far from the others";
  EXPECT_LT(std::fabs(bias), 0.2 * stated);
}

INSTANTIATE_TEST_SUITE_P(Dims, SketchDims, testing::Values(4, 12, 36, 64, 192, 576, 1024, 4096));

TEST(SketchPage, LeavesNothingOfAClearedSlot) {
  auto basis = std::make_shared<const SketchBasis>(64, std::vector<float>(128));
  const std::unique_ptr<SketchPage> page = SketchPage::Make(basis, 64, /*will_fill=*/false);
  const auto estimates = [&] {
    SketchQueryPreparer preparer;
    const cpu::SketchQueries queries = preparer.Prepare(*basis, 1, Normal(64, 1));
    std::vector<float> scores(64);
    page->Score(cpu::BaselineKernels(), queries, 1, 0, 2, scores.data());
    return scores;
  };
  const auto put = [&](std::int64_t slot, std::uint32_t seed) {
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      std::vector<float> key = Normal(64, seed);
      page->Put(cpu::BaselineKernels(), layer, slot, key);
    }
  };
  const std::vector<float> empty = estimates();
  put(20, 2);
  const std::vector<float> neighbour = estimates();
  put(4, 3);  // Shares its bytes with slot 20.
  EXPECT_NE(estimates()[4], empty[4]);
  page->Clear(4);
  EXPECT_EQ(estimates(), neighbour);
  page->Clear(20);
  EXPECT_EQ(estimates(), empty);
}

}  // namespace
}  // namespace kvasir::compute
