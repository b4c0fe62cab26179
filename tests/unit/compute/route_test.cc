#include "compute/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "compute/quantise.h"
#include "tests/support/normal.h"

namespace kvasir::compute {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

using test::Normal;

/// An index and, in the same order, what was put into it.
class Fixture {
 public:
  explicit Fixture(RouteShape shape) : shape_(shape), index_(RouteIndex::Make(shape).value()) {}

  std::uint32_t Append(std::uint64_t id, std::int64_t chunks, std::span<const float> keys) {
    RouteEntry entry{.id = id, .chunks = chunks, .codes = {}, .scales = {}, .keys = {}};
    const auto rows = static_cast<std::size_t>(shape_.layers * chunks);
    std::vector<std::byte> bytes(keys.size());
    std::vector<float> scales(rows);
    if (shape_.keys == RouteKeys::kF32) {
      entry.keys = keys;
    } else {
      EXPECT_TRUE(PackRows(TensorType::kI8, keys, shape_.dim, bytes, scales).ok());
      entry.codes = {reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()};
      entry.scales = scales;
    }
    const auto ordinal = index_->Append(entry);
    EXPECT_TRUE(ordinal.ok()) << ordinal.status().message();
    return ordinal.ok() ? *ordinal : 0;
  }
  std::uint32_t AppendRandom(std::uint64_t id, std::int64_t chunks) {
    return Append(id, chunks,
                  Normal(shape_.layers * chunks * shape_.dim, static_cast<std::uint32_t>(id)));
  }
  std::vector<float> Scan(const RouteQuery& query) const {
    std::vector<float> scores(index_->Ordinals());
    EXPECT_TRUE(index_->Scan(query, scores).ok());
    return scores;
  }
  /// Every dimension a head of its own would be slow; one head says the same for head mean.
  std::vector<float> Oracle(const RouteQuery& query) const {
    std::vector<float> scores(index_->Ordinals());
    EXPECT_TRUE(index_->ScanGeneral(query, {1, 1, shape_.dim, HeadReduce::kMean}, scores).ok());
    return scores;
  }
  RouteIndex& index() { return *index_; }

 private:
  RouteShape shape_;
  std::unique_ptr<RouteIndex> index_;
};

using Combination = std::tuple<RouteKeys, QueryBits, QueryReduce, ChunkReduce, int>;

class RouteScan : public testing::TestWithParam<Combination> {};

TEST_P(RouteScan, ScoresAsTheOracleDoesWithinTheStatedBound) {
  const auto [keys, bits, query_reduce, chunk_reduce, tokens] = GetParam();
  for (const std::int64_t dim : {4, 36, 192, 1024}) {
    Fixture fixture({.layers = 2, .dim = dim, .keys = keys});
    for (std::uint64_t id = 0; id < 40; ++id) {
      fixture.AppendRandom(id, 1 + static_cast<std::int64_t>(id * 7 % 9));
    }
    const std::vector<float> queries = Normal(tokens * dim, 99);
    const RouteQuery query{.layer = 1,
                           .queries = queries,
                           .query_reduce = query_reduce,
                           .chunk_reduce = chunk_reduce,
                           .bits = bits};
    float max_abs = 0;
    for (const float x : queries) max_abs = std::max(max_abs, std::fabs(x));
    // Normal keys: no scale above 6/127, no code above 127.
    const float bound =
        keys == RouteKeys::kF32
            ? 1e-4F * std::sqrt(static_cast<float>(dim))
            : QueryErrorBound(bits, dim, max_abs, 6.0F / 127, 127.0F * static_cast<float>(dim)) +
                  1e-5F;
    const std::vector<float> expected = fixture.Oracle(query);
    const std::vector<float> actual = fixture.Scan(query);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(expected[i], actual[i], bound) << "entry " << i << ", dim " << dim;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RouteScan,
                         testing::Combine(testing::Values(RouteKeys::kInt8, RouteKeys::kF32),
                                          testing::Values(QueryBits::k8, QueryBits::k15),
                                          testing::Values(QueryReduce::kMax, QueryReduce::kMean,
                                                          QueryReduce::kLast),
                                          testing::Values(ChunkReduce::kMax, ChunkReduce::kMean),
                                          testing::Values(1, 2, 7, 13)));

TEST(RouteIndex, KeepsExtremeCodesExact) {
  // Every code and every query number at its limit: the sums are as large as they can be.
  constexpr std::int64_t kDim = 1024;
  Fixture fixture({.layers = 1, .dim = kDim});
  fixture.Append(1, 1, std::vector<float>(kDim, 127.0F));
  fixture.Append(2, 1, std::vector<float>(kDim, -127.0F));
  const std::vector<float> query(kDim, 1.0F);
  const std::vector<float> scores = fixture.Scan({.queries = query});
  EXPECT_NEAR(scores[0], 127.0F * kDim, 1.0F);
  EXPECT_NEAR(scores[1], -127.0F * kDim, 1.0F);
}

TEST(RouteIndex, GivesTheSameBitsOnAnyNumberOfThreads) {
  Fixture fixture({.layers = 1, .dim = 16});
  for (std::uint64_t id = 0; id < 1500; ++id) fixture.AppendRandom(id, 8);
  const std::vector<float> queries = Normal(5 * 16, 3);
  const std::vector<float> one = fixture.Scan({.queries = queries, .threads = 1});
  EXPECT_EQ(one, fixture.Scan({.queries = queries, .threads = 3}));
}

TEST(RouteIndex, TellsWhichChunkWasBest) {
  Fixture fixture({.layers = 1, .dim = 4});
  fixture.Append(5, 3, std::vector<float>{1, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0});
  const std::vector<float> query = {1, 0, 0, 0};
  std::vector<float> scores(1);
  std::vector<std::uint32_t> best(1);
  ASSERT_TRUE(fixture.index().Scan({.queries = query}, scores, best).ok());
  EXPECT_EQ(best[0], 1U);  // of two equal ones the first
}

TEST(RouteIndex, LeavesOutWhatAFilterDoesNotAllow) {
  Fixture fixture({.layers = 1, .dim = 8});
  for (std::uint64_t id = 0; id < 100; ++id) fixture.AppendRandom(id, 2);
  EntryBitmap allowed;
  allowed.Set(3);
  allowed.Set(97);
  const std::vector<float> query = Normal(8, 1);
  const std::vector<float> all = fixture.Scan({.queries = query});
  const std::vector<float> some = fixture.Scan({.queries = query, .allowed = &allowed});
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(some[i], i == 3 || i == 97 ? all[i] : kNone);
  }
}

TEST(RouteIndex, ForgetsARemovedEntryAndUsesItsSlotsAgain) {
  Fixture fixture({.layers = 2, .dim = 8});
  for (std::uint64_t id = 0; id < 20; ++id) fixture.AppendRandom(id, 5);
  const std::int64_t bytes = fixture.index().Bytes();
  ASSERT_TRUE(fixture.index().Remove(7).ok());
  EXPECT_EQ(fixture.index().Remove(7).code(), StatusCode::kNotFound);
  EXPECT_EQ(fixture.index().Entries(), 19);
  EXPECT_EQ(fixture.index().Chunks(), 95);
  const std::vector<float> query = Normal(8, 1);
  EXPECT_EQ(fixture.Scan({.queries = query})[7], kNone);

  EXPECT_EQ(fixture.AppendRandom(7, 5), 20U) << "an ordinal is never used again";
  EXPECT_EQ(fixture.index().Bytes(), bytes);
  const std::vector<float> scores = fixture.Scan({.queries = query});
  EXPECT_EQ(scores[7], kNone);
  EXPECT_NEAR(scores[20], fixture.Oracle({.queries = query})[20], 1e-3);
}

TEST(RouteIndex, MatchesAModelThroughRandomAppendsAndRemovals) {
  Fixture fixture({.layers = 1, .dim = 12});
  std::map<std::uint64_t, std::uint32_t> model;  // id to ordinal
  std::mt19937 random(11);
  for (std::uint64_t step = 0; step < 3000; ++step) {
    if (model.empty() || random() % 3 != 0) {
      model[step] = fixture.AppendRandom(step, 1 + random() % 40);
    } else {
      const auto victim = std::next(model.begin(), random() % model.size());
      ASSERT_TRUE(fixture.index().Remove(victim->first).ok());
      model.erase(victim);
    }
  }
  const std::vector<float> query = Normal(12, 1);
  const std::vector<float> scores = fixture.Scan({.queries = query});
  const std::vector<float> expected = fixture.Oracle({.queries = query});
  std::size_t present = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] == kNone) continue;
    ++present;
    EXPECT_NEAR(scores[i], expected[i], 2e-3);
  }
  EXPECT_EQ(present, model.size());
  for (const auto& [id, ordinal] : model) EXPECT_NE(scores[ordinal], kNone) << id;
}

TEST(RouteIndex, RanksTheBestFirstAndEqualScoresByLowerId) {
  Fixture fixture({.layers = 1, .dim = 4});
  for (const std::uint64_t id : {9, 4, 6, 2}) fixture.Append(id, 1, std::vector<float>{1, 1, 1, 1});
  fixture.Append(50, 1, std::vector<float>{2, 2, 2, 2});
  const std::vector<float> query = {1, 1, 1, 1};
  const std::vector<float> scores = fixture.Scan({.queries = query});
  std::vector<RouteHit> hits;
  const auto ids = [&hits] {
    std::vector<std::uint64_t> found;
    for (const RouteHit& hit : hits) found.push_back(hit.id);
    return found;
  };
  fixture.index().TopK(scores, 3, nullptr, &hits);
  EXPECT_THAT(ids(), testing::ElementsAre(50, 2, 4));
  ASSERT_TRUE(fixture.index().Remove(2).ok());
  fixture.index().TopK(scores, 99, nullptr, &hits);
  EXPECT_THAT(ids(), testing::ElementsAre(50, 4, 6, 9)) << "gone since the scan";
  fixture.index().TopK(scores, 0, nullptr, &hits);
  EXPECT_TRUE(hits.empty());
}

TEST(RouteIndex, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(RouteIndex::Make({.layers = 0, .dim = 8}).ok());
  EXPECT_FALSE(RouteIndex::Make({.layers = 1, .dim = 6}).ok());
  EXPECT_FALSE(RouteIndex::Make({.layers = 1, .dim = 8192}).ok());
  Fixture fixture({.layers = 1, .dim = 4, .keys = RouteKeys::kF32});
  const std::vector<float> key = {1, 2, 3, 4};
  const std::vector<float> bad = {1, NAN, 3, 4};
  RouteIndex& index = fixture.index();
  const auto code = [&index](std::int64_t chunks, std::span<const float> keys) {
    return index.Append({.id = 1, .chunks = chunks, .codes = {}, .scales = {}, .keys = keys})
        .status()
        .code();
  };
  EXPECT_EQ(code(0, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(2, key), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(1, bad), StatusCode::kInvalidArgument);
  fixture.Append(1, 1, key);
  EXPECT_EQ(code(1, key), StatusCode::kConflict);
  std::vector<float> scores(1);
  EXPECT_FALSE(index.Scan({.layer = 1, .queries = key}, scores).ok());
  EXPECT_FALSE(index.Scan({.queries = {}}, scores).ok());
  EXPECT_FALSE(index.Scan({.queries = bad}, scores).ok());
}

TEST(RouteIndex, LetsScansRunBesideAppendsAndRemovals) {
  Fixture fixture({.layers = 1, .dim = 16});
  for (std::uint64_t id = 0; id < 64; ++id) fixture.AppendRandom(id, 8);
  const std::vector<float> query = Normal(16, 1);
  const std::vector<float> before = fixture.Scan({.queries = query});
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  const auto reader = [&] {
    std::vector<float> scores(64);
    while (!done) {
      ASSERT_TRUE(fixture.index().Scan({.queries = query, .threads = 1}, scores).ok());
      for (std::size_t i = 0; i < 64; ++i) {
        if (scores[i] != before[i] && scores[i] != kNone) ++torn;
      }
    }
  };
  std::thread first(reader);
  std::thread second(reader);
  for (std::uint64_t id = 0; id < 64; ++id) {
    ASSERT_TRUE(fixture.index().Remove(id).ok());
    fixture.AppendRandom(1000 + id, 8);
  }
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(fixture.index().Entries(), 64);
}

TEST(GroupQueries, SavesArithmeticWithoutChangingTheScore) {
  constexpr RouteHeads kHeads{6, 2, 8, HeadReduce::kMean};
  Fixture fixture({.layers = 1, .dim = 16, .keys = RouteKeys::kF32});
  for (std::uint64_t id = 0; id < 10; ++id) fixture.AppendRandom(id, 3);
  const std::vector<float> queries = Normal(5 * 48, 2);
  std::vector<float> grouped(5 * 16);
  GroupQueries(queries, kHeads, false, 1.0F / 6, grouped);
  std::vector<float> expected(10);
  ASSERT_TRUE(fixture.index().ScanGeneral({.queries = queries}, kHeads, expected).ok());
  const std::vector<float> actual = fixture.Scan({.queries = grouped});
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(expected[i], actual[i], 1e-5);
}

TEST(GroupQueries, MakesUnitVectorsForCosine) {
  const std::vector<float> query = {3, 4, 0, 0, 0, 5, 0, 0};
  std::vector<float> grouped(4);
  GroupQueries(query, {2, 1, 4, HeadReduce::kMean}, true, 0.5F, grouped);
  EXPECT_THAT(grouped,
              testing::Pointwise(testing::FloatEq(), std::vector<float>{0.3F, 0.4F + 0.5F, 0, 0}));
}

TEST(ScanGeneral, TakesTheHighestHeadWhenAsked) {
  Fixture fixture({.layers = 1, .dim = 4, .keys = RouteKeys::kF32});
  fixture.Append(1, 1, std::vector<float>{1, 0, 0, 0});
  const std::vector<float> two_heads = {2, 0, 0, 0, -6, 0, 0, 0};
  std::vector<float> scores(1);
  const RouteQuery query{.queries = two_heads};
  ASSERT_TRUE(fixture.index().ScanGeneral(query, {2, 1, 4, HeadReduce::kMax}, scores).ok());
  EXPECT_FLOAT_EQ(scores[0], 2);
  ASSERT_TRUE(fixture.index().ScanGeneral(query, {2, 1, 4, HeadReduce::kMean}, scores).ok());
  EXPECT_FLOAT_EQ(scores[0], -2);
}

}  // namespace
}  // namespace kvasir::compute
