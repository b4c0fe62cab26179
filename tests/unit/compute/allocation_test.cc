// What runs for every token and every question takes no memory from the heap once it is warm.
// Precision::kF32 is left out: oneDNN makes about forty small objects for every product.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "compute/backend.h"
#include "compute/quantise.h"
#include "compute/route.h"
#include "tests/support/allocations.h"
#include "tests/support/normal.h"

namespace kvasir::compute {
namespace {

using test::AllocationsOnceWarm;
using test::Normal;

TEST(Allocations, AreCounted) {
  // A compiler may leave out a new expression whose memory nobody uses, but not these calls.
  EXPECT_EQ(AllocationsOnceWarm([] { ::operator delete(::operator new(8)); }), 1);
}

class RouteAllocations : public testing::TestWithParam<int> {
 protected:
  static const RouteIndex& Index() {
    static const std::unique_ptr<RouteIndex> index = [] {
      constexpr std::int64_t kChunks = 256;
      auto made = RouteIndex::Make({.layers = 2, .dim = kDim}).value();
      const std::vector<float> keys = Normal(2 * kChunks * kDim, 1);
      std::vector<std::byte> bytes(keys.size());
      std::vector<float> scales(2 * kChunks);
      EXPECT_TRUE(PackRows(TensorType::kI8, keys, kDim, bytes, scales).ok());
      for (std::uint64_t id = 0; id * kChunks <= RouteIndex::kSketchChunks; ++id) {
        const std::span codes(reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size());
        EXPECT_TRUE(
            made->Append(
                    {.id = id, .chunks = kChunks, .codes = codes, .scales = scales, .keys = {}})
                .ok());
      }
      return made;
    }();
    return *index;
  }
  static constexpr std::int64_t kDim = 64;
};

TEST_P(RouteAllocations, NoneInAScanAndItsBest) {
  const std::vector<float> queries = Normal(5 * kDim, 2);
  const RouteQuery query{.queries = queries, .threads = GetParam()};
  std::vector<float> scores(Index().Ordinals());
  std::vector<RouteHit> hits;
  EXPECT_EQ(AllocationsOnceWarm([&] {
              ASSERT_TRUE(Index().Scan(query, scores).ok());
              Index().TopK(scores, 16, nullptr, &hits);
            }),
            0);
}

TEST_P(RouteAllocations, NoneInASearchBySketches) {
  const std::vector<float> queries = Normal(5 * kDim, 3);
  const std::vector<RouteQuery> layers = {{.queries = queries, .threads = GetParam()},
                                          {.layer = 1, .queries = queries}};
  std::vector<float> totals(Index().Ordinals());
  EXPECT_EQ(
      AllocationsOnceWarm([&] {
        ASSERT_TRUE(Index().ScanBest({.layers = layers, .weights = {}, .also = {}}, totals).ok());
      }),
      0);
}

TEST_P(RouteAllocations, NoneInASearchOfAnotherThread) {
  // A service has many threads: room of one each would be several times the index.
  const std::vector<float> queries = Normal(5 * kDim, 3);
  const std::vector<RouteQuery> layers = {{.queries = queries, .threads = GetParam()}};
  std::vector<float> totals(Index().Ordinals());
  const auto search = [&] {
    EXPECT_TRUE(Index().ScanBest({.layers = layers, .weights = {}, .also = {}}, totals).ok());
  };
  search();
  std::int64_t allocations = -1;
  std::thread([&] {
    // Of its own a thread has what a question's codes need.
    EXPECT_TRUE(Index().Scan(layers[0], totals).ok());
    test::StartCounting();
    search();
    allocations = test::StopCounting();
  }).join();
  EXPECT_EQ(allocations, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, RouteAllocations, testing::Values(1, 2));

/// One decoder layer's ops, as the model enqueues them.
class LayerAllocations : public testing::TestWithParam<std::int64_t> {};

TEST_P(LayerAllocations, NoneInTheOpsOfALayer) {
  constexpr std::int64_t kWidth = 96;
  constexpr std::int64_t kHeadDim = 16;
  const std::int64_t tokens = GetParam();
  auto backend = MakeBackend({.name = "cpu", .threads = 2}).value();
  auto stream = backend->NewStream().value();
  const std::vector<float> weights = Normal(kWidth * kWidth, 4);
  const HostMatrix host{.type = TensorType::kF32,
                        .rows = kWidth,
                        .cols = kWidth,
                        .bytes = std::as_bytes(std::span(weights))};
  const auto matrix = backend->LoadMatrix(std::span(&host, 1)).value();
  const auto x = backend->Allocate(tokens * kWidth).value();
  const auto y = backend->Allocate(tokens * kWidth).value();
  const auto norm = backend->Allocate(kWidth).value();
  stream->Upload(Normal(tokens * kWidth, 5), x->View(tokens, kWidth));
  stream->Upload(Normal(kWidth, 6), norm->View(1, kWidth));
  const std::vector<std::int32_t> positions(static_cast<std::size_t>(tokens), 3);
  const std::vector<float> frequencies(kHeadDim / 2, 0.1F);
  const std::vector<RowRun> runs = {{.begin = 0, .count = tokens}};
  const Rows in = x->View(tokens, kWidth);
  const Rows out = y->View(tokens, kWidth);
  const std::vector<AttentionSequence> sequences = {
      {.query_begin = 0, .query_count = tokens, .memory = {}, .self = {.k = in, .v = in}}};
  const auto layer = [&] {
    stream->RmsNorm(in, norm->View(1, kWidth), 1e-5F, out);
    stream->MatMul(in, *matrix, out, /*accumulate=*/false);
    stream->MatMul(in, *matrix, out, /*accumulate=*/true);
    stream->Rope(out,
                 {.head_dim = kHeadDim,
                  .rotary_dim = kHeadDim,
                  .interleaved = false,
                  .inverse_frequencies = frequencies},
                 positions);
    stream->Attention(in, sequences, kWidth / kHeadDim, kWidth / kHeadDim, kHeadDim, 0.25F, out);
    stream->SiluMul(in, out, out);
    stream->MeanPool(in, runs, out.Slice(0, 1));
    stream->Unit(out, kHeadDim);
    ASSERT_TRUE(stream->Synchronize().ok());
  };
  EXPECT_EQ(AllocationsOnceWarm(layer), 0);
}

INSTANTIATE_TEST_SUITE_P(Tokens, LayerAllocations, testing::Values(1, 15, 200));

}  // namespace
}  // namespace kvasir::compute
