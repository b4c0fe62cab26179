#include "compute/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "compute/registry.h"
#include "tests/support/normal.h"

namespace kvasir::compute {
namespace {

Result<std::shared_ptr<Backend>> NoDevice(const BackendOptions& /*options*/) {
  return Unavailable("fake: no device");
}

TEST(MakeBackend, KnowsItsNames) {
  EXPECT_EQ((*MakeBackend({.name = "reference"}))->Name(), "reference");
  EXPECT_THAT((*MakeBackend({.name = "cpu"}))->Name(), testing::StartsWith("cpu "));
  EXPECT_EQ(MakeBackend({.name = "abacus"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeBackend({.name = "cpu", .threads = -1}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(MakeBackend, SaysPlainlyThatCudaIsNotInThisBuild) {
  const auto backend = MakeBackend({.name = "cuda"});
  EXPECT_EQ(backend.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(backend.status().message(), testing::HasSubstr("KVASIR_CUDA"));
}

TEST(MakeBackend, FallsBackToTheCpuWhenARegisteredDeviceIsMissing) {
  RegisterBackend("fake", NoDevice);
  EXPECT_EQ(MakeBackend({.name = "fake"}).status().message(), "fake: no device");
  EXPECT_THAT((*MakeBackend({}))->Name(), testing::StartsWith("cpu "));
}

class EveryBackend : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<Backend> backend_ = MakeBackend({.name = GetParam()}).value();
};

TEST_P(EveryBackend, RefusesPartsThatDoNotFit) {
  const std::vector<std::byte> bytes(4 * 8 * 4);
  const HostMatrix whole{TensorType::kF32, 4, 8, bytes};
  EXPECT_TRUE(backend_->LoadMatrix({&whole, 1}).ok());
  EXPECT_FALSE(backend_->LoadMatrix({}).ok());
  for (const HostMatrix& bad :
       {HostMatrix{TensorType::kF32, 4, 7, bytes}, HostMatrix{TensorType::kF32, 0, 8, bytes},
        HostMatrix{TensorType::kF32, -4, -8, bytes}, HostMatrix{TensorType::kF32, 5, 8, bytes},
        HostMatrix{TensorType::kQ8_0, 4, 8, bytes}}) {
    EXPECT_EQ(backend_->LoadMatrix({&bad, 1}).status().code(), StatusCode::kInvalidArgument);
  }
  const HostMatrix narrower{TensorType::kF32, 8, 4, bytes};
  const std::vector<HostMatrix> parts = {whole, narrower};
  EXPECT_EQ(backend_->LoadMatrix(parts).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(EveryBackend, RefusesLowRankChangesThatDoNotFit) {
  const std::vector<float> numbers(8 * 8, 0.5F);
  const auto part = [&](std::int64_t rows, std::int64_t cols) {
    return HostMatrix{
        TensorType::kF32, rows, cols,
        std::as_bytes(std::span(numbers).first(static_cast<std::size_t>(rows * cols)))};
  };
  const HostMatrix whole = part(4, 8);
  const auto base = backend_->LoadMatrix({&whole, 1}).value();
  const auto code = [&](std::int64_t first_row, const HostMatrix& a, const HostMatrix& b) {
    const LowRankUpdate update{.first_row = first_row, .a = a, .b = b};
    return backend_->AddLowRank(*base, {&update, 1}).status().code();
  };
  EXPECT_TRUE(backend_->AddLowRank(*base, {}).ok());
  EXPECT_EQ(code(2, part(3, 8), part(2, 3)), StatusCode::kOk);
  EXPECT_EQ(code(0, part(3, 7), part(2, 3)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(0, part(3, 8), part(2, 4)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(3, part(3, 8), part(2, 3)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(-1, part(3, 8), part(2, 3)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(0, part(3, 8), part(5, 3)), StatusCode::kInvalidArgument);
}

// Many rows and few, made on one thread and run on others: what one thread's workspace was made for
// must not be taken from another's.
TEST_P(EveryBackend, SharesAFloatMatrixBetweenThreads) {
  constexpr std::int64_t kSide = 576;
  constexpr std::int64_t kMostRows = 40;
  const std::vector<float> weights = test::Normal(kSide * kSide, 11);
  const std::vector<float> inputs = test::Normal(kMostRows * kSide, 12);
  const HostMatrix host{TensorType::kF32, kSide, kSide, std::as_bytes(std::span(weights))};
  const auto backend = MakeBackend({.name = GetParam(), .precision = Precision::kF32}).value();
  const auto matrix = backend->LoadMatrix({&host, 1}).value();
  const auto multiply = [&](std::int64_t rows) {
    const auto stream = backend->NewStream().value();
    const auto x = backend->Allocate(rows * kSide).value();
    const auto y = backend->Allocate(rows * kSide).value();
    stream->Upload(std::span(inputs).first(static_cast<std::size_t>(rows * kSide)),
                   x->View(rows, kSide));
    stream->MatMul(x->View(rows, kSide), *matrix, y->View(rows, kSide), /*accumulate=*/false);
    std::vector<float> out(static_cast<std::size_t>(rows * kSide));
    stream->Download(y->View(rows, kSide), out);
    EXPECT_TRUE(stream->Synchronize().ok());
    return out;
  };
  const std::vector<float> expected = multiply(kMostRows);
  std::vector<std::jthread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 own(seed);
      for (int round = 0; round < 24; ++round) {
        const std::vector<float> got = multiply(1 + own() % kMostRows);
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-3);
      }
    });
  }
}

TEST_P(EveryBackend, RefusesImpossibleBuffers) {
  EXPECT_FALSE(backend_->Allocate(-1).ok());
  EXPECT_FALSE(backend_->Allocate(std::numeric_limits<std::int64_t>::max()).ok());
  EXPECT_TRUE(backend_->Allocate(0).ok());
}

TEST_P(EveryBackend, BringsBackWhatWasUploadedThroughStrides) {
  auto stream = backend_->NewStream();
  ASSERT_TRUE(stream.ok());
  auto buffer = backend_->Allocate(12);
  ASSERT_TRUE(buffer.ok());
  const Rows all = (*buffer)->View(3, 4);
  const std::vector<float> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  (*stream)->Upload(numbers, all);
  (*stream)->Copy(all.Columns(0, 2), all.Columns(2, 2));
  std::vector<float> middle(4);
  (*stream)->Download(all.Slice(1, 2).Columns(2, 2), middle);
  ASSERT_TRUE((*stream)->Synchronize().ok());
  EXPECT_THAT(middle, testing::ElementsAre(4, 5, 8, 9));
}

INSTANTIATE_TEST_SUITE_P(Backends, EveryBackend, testing::Values("reference", "cpu"));

}  // namespace
}  // namespace kvasir::compute
