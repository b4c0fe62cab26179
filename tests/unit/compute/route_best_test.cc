// The best entries by sketches against the same by whole keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "compute/quantise.h"
#include "compute/route.h"
#include "tests/support/topics.h"

namespace kvasir::compute {
namespace {

constexpr std::int64_t kDim = 128;
constexpr std::int64_t kLayers = 2;
constexpr std::int64_t kChunks = 4;
constexpr float kNone = -std::numeric_limits<float>::infinity();

class Topics : public test::Topics {
 public:
  explicit Topics(std::uint32_t seed) : test::Topics(kDim, 40, seed) {}
};

void Append(RouteIndex& index, std::uint64_t id, Topics& topics) {
  std::vector<float> keys;
  for (std::int64_t i = 0; i < kLayers * kChunks; ++i) {
    const std::vector<float> key = topics.Draw(1.0F);
    keys.insert(keys.end(), key.begin(), key.end());
  }
  std::vector<std::byte> bytes(keys.size());
  std::vector<float> scales(kLayers * kChunks);
  ASSERT_TRUE(PackRows(TensorType::kI8, keys, kDim, bytes, scales).ok());
  ASSERT_TRUE(
      index
          .Append({.id = id,
                   .chunks = kChunks,
                   .codes = {reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()},
                   .scales = scales,
                   .keys = {}})
          .ok());
}

/// One index above the size where sketches begin, for all tests that only read.
const RouteIndex& Large() {
  static const std::unique_ptr<RouteIndex> index = [] {
    auto made = RouteIndex::Make({.layers = kLayers, .dim = kDim}).value();
    Topics topics(1);
    for (std::uint64_t id = 0; id * kChunks < RouteIndex::kSketchChunks + 8192; ++id) {
      Append(*made, id, topics);
    }
    return made;
  }();
  return *index;
}

struct Question {
  std::vector<std::vector<float>> vectors;
  std::vector<RouteQuery> layers;
  std::vector<float> weights;
};

Question Ask(Topics& topics, std::size_t tokens = 1) {
  Question question;
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    std::vector<float> vectors;
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::vector<float> one = topics.Draw(0.5F);
      vectors.insert(vectors.end(), one.begin(), one.end());
    }
    question.vectors.push_back(std::move(vectors));
    question.weights.push_back(layer == 0 ? 0.6F : 0.4F);
  }
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    question.layers.push_back({.layer = layer,
                               .queries = question.vectors[static_cast<std::size_t>(layer)],
                               .threads = 1});
  }
  return question;
}

RouteSum SumOf(const Question& question, RouteEffort effort, std::int64_t best = 16) {
  return {.layers = question.layers,
          .weights = question.weights,
          .owners = {},
          .best = best,
          .also = {},
          .effort = effort};
}

std::vector<RouteHit> Top(const RouteIndex& index, const Question& question, RouteEffort effort,
                          const EntryBitmap* allowed = nullptr) {
  std::vector<float> totals(index.Ordinals());
  EXPECT_TRUE(index.ScanBest(SumOf(question, effort), totals).ok());
  std::vector<RouteHit> hits;
  index.TopK(totals, 16, allowed, &hits);
  return hits;
}

bool Same(const std::vector<RouteHit>& a, const std::vector<RouteHit>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const RouteHit& x, const RouteHit& y) { return x.id == y.id && x.score == y.score; });
}

TEST(ScanBest, FindsTheSame16AsAWholeScanInNearlyEverySearch) {
  Topics topics(1);
  int same = 0;
  for (int i = 0; i < 150; ++i) {
    const Question question = Ask(topics, i % 3 == 0 ? 3 : 1);
    same += Same(Top(Large(), question, RouteEffort::kAuto),
                 Top(Large(), question, RouteEffort::kExact));
  }
  EXPECT_GE(same, 149) << "of 150";
}

TEST(ScanBest, LooksAtFewEntriesAndLeavesEstimatesBelowTheBest) {
  Topics topics(2);
  const Question question = Ask(topics);
  std::vector<float> totals(Large().Ordinals());
  std::vector<float> exact(totals.size());
  const auto looked = Large().ScanBest(SumOf(question, RouteEffort::kAuto), totals);
  ASSERT_TRUE(looked.ok());
  EXPECT_LT(*looked, Large().Entries() / 4);
  ASSERT_TRUE(Large().ScanBest(SumOf(question, RouteEffort::kExact), exact).ok());
  std::int64_t equal = 0;
  double squares = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    equal += totals[i] == exact[i];
    squares += std::pow(double{totals[i]} - double{exact[i]}, 2);
  }
  EXPECT_GE(equal, *looked);
  EXPECT_LT(std::sqrt(squares / static_cast<double>(totals.size())), 0.1);
}

TEST(ScanBest, IsExactForWhatElseIsAskedFor) {
  Topics topics(9);
  const Question question = Ask(topics);
  const std::vector<std::uint32_t> also = {9000, 17, 17, 5, 1 << 30};
  RouteSum sum = SumOf(question, RouteEffort::kAuto);
  sum.also = also;
  std::vector<float> totals(Large().Ordinals());
  std::vector<float> exact(totals.size());
  ASSERT_TRUE(Large().ScanBest(sum, totals).ok());
  ASSERT_TRUE(Large().ScanBest(SumOf(question, RouteEffort::kExact), exact).ok());
  for (const std::uint32_t ordinal : {5U, 17U, 9000U}) EXPECT_EQ(totals[ordinal], exact[ordinal]);
}

/// The highest total of each owner.
std::vector<float> Highest(std::span<const float> totals, std::span<const std::uint32_t> owners,
                           std::size_t count) {
  std::vector<float> highest(count, kNone);
  for (std::size_t i = 0; i < totals.size(); ++i) {
    highest[owners[i]] = std::max(highest[owners[i]], totals[i]);
  }
  return highest;
}

TEST(ScanBest, IsExactForTheBestOwnersAndForThoseAskedForBesides) {
  // Owners of 7 entries that do not follow each other, and one that owns a tenth of everything.
  const auto count = static_cast<std::uint32_t>(Large().Ordinals());
  const std::uint32_t owners = count / 7 + 2;
  std::vector<std::uint32_t> owner(count);
  for (std::uint32_t i = 0; i < count; ++i) owner[i] = i % 10 == 3 ? owners - 1 : i % (owners - 1);
  const std::vector<std::uint32_t> also = {11, 300, 1 << 30, 11};
  Topics topics(10);
  int same = 0;
  for (int i = 0; i < 40; ++i) {
    const Question question = Ask(topics);
    RouteSum sum = SumOf(question, RouteEffort::kAuto);
    sum.owners = owner;
    sum.also = also;
    std::vector<float> totals(count);
    const auto looked = Large().ScanBest(sum, totals);
    ASSERT_TRUE(looked.ok());
    EXPECT_LT(*looked, Large().Entries() / 4);
    const std::vector<float> picked = Highest(totals, owner, owners);
    sum.effort = RouteEffort::kExact;
    ASSERT_TRUE(Large().ScanBest(sum, totals).ok());
    std::vector<float> exact = Highest(totals, owner, owners);
    EXPECT_EQ(picked[11], exact[11]);
    EXPECT_EQ(picked[300], exact[300]);
    std::vector<float> best = picked;
    std::ranges::partial_sort(best, best.begin() + 16, std::greater<>());
    std::ranges::partial_sort(exact, exact.begin() + 16, std::greater<>());
    same += std::equal(best.begin(), best.begin() + 16, exact.begin());
  }
  EXPECT_GE(same, 39);
}

TEST(ScanBest, RefusesAnotherNumberOfOwners) {
  Topics topics(11);
  const Question question = Ask(topics);
  RouteSum sum = SumOf(question, RouteEffort::kAuto);
  const std::vector<std::uint32_t> owners(3);
  sum.owners = owners;
  std::vector<float> totals(Large().Ordinals());
  EXPECT_EQ(Large().ScanBest(sum, totals).status().code(), StatusCode::kInvalidArgument);
}

TEST(ScanEntries, SaysWhatScanSaysOfEach) {
  Topics topics(12);
  for (const ChunkReduce reduce : {ChunkReduce::kMax, ChunkReduce::kMean}) {
    Question question = Ask(topics, 2);
    question.layers[1].chunk_reduce = reduce;
    std::vector<float> all(Large().Ordinals());
    std::vector<std::uint32_t> all_chunks(all.size());
    ASSERT_TRUE(Large().Scan(question.layers[1], all, all_chunks).ok());
    const std::vector<std::uint32_t> entries = {40, 7, 9999, 1 << 30};
    std::vector<float> scores(entries.size());
    std::vector<std::uint32_t> chunks(entries.size());
    ASSERT_TRUE(Large().ScanEntries(question.layers[1], entries, scores, chunks).ok());
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(scores[i], all[entries[i]]);
      EXPECT_EQ(chunks[i], all_chunks[entries[i]]);
    }
    EXPECT_EQ(scores[3], kNone);
  }
  std::vector<float> short_scores(1);
  const std::vector<std::uint32_t> two = {1, 2};
  EXPECT_EQ(Large().ScanEntries(Ask(topics).layers[0], two, short_scores).code(),
            StatusCode::kInvalidArgument);
}

TEST(ReadKeys, AreWhatScanMultiplies) {
  Topics topics(13);
  const Question question = Ask(topics);
  const std::vector<std::uint32_t> entries = {40, 7, 9999, 1 << 30};
  std::vector<float> scores(entries.size());
  ASSERT_TRUE(Large().ScanEntries(question.layers[1], entries, scores).ok());
  std::vector<float> best(entries.size(), kNone);
  std::vector<int> chunks(entries.size());
  const std::vector<float>& asked = question.vectors[1];
  const auto multiply = [&](std::size_t i, std::span<const float> key) {
    ASSERT_EQ(key.size(), asked.size());
    float dot = 0;
    for (std::size_t d = 0; d < key.size(); ++d) dot += key[d] * asked[d];
    best[i] = std::max(best[i], dot);
    ++chunks[i];
  };
  ASSERT_TRUE(Large().ReadKeys(1, entries, multiply).ok());
  EXPECT_EQ(chunks, (std::vector<int>{kChunks, kChunks, kChunks, 0}));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(best[i], scores[i], 1e-3);
  EXPECT_EQ(Large().ReadKeys(kLayers, entries, multiply).code(), StatusCode::kInvalidArgument);
}

TEST(ScanBest, AddsUpWhatScanSays) {
  Topics topics(3);
  const Question question = Ask(topics);
  std::vector<float> totals(Large().Ordinals());
  std::vector<float> first(totals.size());
  std::vector<float> second(totals.size());
  ASSERT_TRUE(Large().ScanBest(SumOf(question, RouteEffort::kExact), totals).ok());
  ASSERT_TRUE(Large().Scan(question.layers[0], first).ok());
  ASSERT_TRUE(Large().Scan(question.layers[1], second).ok());
  for (std::size_t i = 0; i < totals.size(); ++i) {
    EXPECT_FLOAT_EQ(totals[i], 0.6F * first[i] + 0.4F * second[i]);
  }
}

TEST(ScanBest, FindsOnlyWhatAFilterAllows) {
  Topics topics(4);
  EntryBitmap allowed;
  for (std::uint32_t i = 0; i < Large().Ordinals(); i += 3) allowed.Set(i);
  for (int i = 0; i < 10; ++i) {
    Question question = Ask(topics);
    question.layers[0].allowed = &allowed;
    const auto hits = Top(Large(), question, RouteEffort::kAuto);
    EXPECT_TRUE(Same(hits, Top(Large(), question, RouteEffort::kExact)));
    for (const RouteHit& hit : hits) EXPECT_EQ(hit.ordinal % 3, 0U);
  }
}

TEST(ScanBest, IsExactWhenAlmostNothingIsAllowedOrEverythingAskedFor) {
  Topics topics(5);
  EntryBitmap allowed;
  allowed.Set(5000);
  Question question = Ask(topics);
  question.layers[0].allowed = &allowed;
  const auto hits = Top(Large(), question, RouteEffort::kAuto);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_TRUE(Same(hits, Top(Large(), question, RouteEffort::kExact)));

  question.layers[0].allowed = nullptr;
  std::vector<float> totals(Large().Ordinals());
  const auto all = Large().ScanBest(SumOf(question, RouteEffort::kAuto, 1 << 20), totals);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, Large().Entries());
}

TEST(ScanBest, RefusesASumThatMakesNoSense) {
  Topics topics(6);
  Question question = Ask(topics);
  std::vector<float> totals(1);
  const auto code = [&] {
    return Large().ScanBest(SumOf(question, RouteEffort::kAuto), totals).status().code();
  };
  question.weights.pop_back();
  EXPECT_EQ(code(), StatusCode::kInvalidArgument);
  question.weights.clear();
  EXPECT_EQ(code(), StatusCode::kOk);
  question.layers[1].layer = kLayers;
  EXPECT_EQ(code(), StatusCode::kInvalidArgument);
  question.layers.clear();
  EXPECT_EQ(code(), StatusCode::kInvalidArgument);
}

TEST(ScanBest, IsTheSameOfAnIndexFilledAtOnce) {
  auto index = RouteIndex::Make({.layers = kLayers, .dim = kDim}).value();
  Topics topics(13);
  index->BeginFill();
  for (std::uint64_t id = 0; id * kChunks < RouteIndex::kSketchChunks + 8192; ++id) {
    Append(*index, id, topics);
  }
  const Question question = Ask(topics);
  std::vector<float> totals(index->Ordinals());
  const auto looked = [&] {
    return index->ScanBest(SumOf(question, RouteEffort::kAuto), totals).value();
  };
  EXPECT_EQ(looked(), index->Entries()) << "there are no sketches yet";
  ASSERT_TRUE(index->EndFill(2).ok());
  EXPECT_LT(looked(), index->Entries() / 4);
  Append(*index, 1'000'000, topics);
  int same = 0;
  for (int i = 0; i < 50; ++i) {
    const Question next = Ask(topics);
    same += Same(Top(*index, next, RouteEffort::kAuto), Top(*index, next, RouteEffort::kExact));
  }
  EXPECT_GE(same, 49);
}

TEST(ScanBest, StaysTrueWhileEntriesComeAndGo) {
  auto index = RouteIndex::Make({.layers = kLayers, .dim = kDim}).value();
  Topics topics(7);
  std::uint64_t next = 0;
  while (index->Chunks() < RouteIndex::kSketchChunks) Append(*index, next++, topics);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    Topics asked(8);
    std::vector<float> totals;
    while (!done) {
      const Question question = Ask(asked);
      totals.assign(index->Ordinals(), 0.0F);
      if (!index->ScanBest(SumOf(question, RouteEffort::kAuto), totals).ok()) ++wrong;
      for (const float total : totals) wrong += total != kNone && !(std::fabs(total) <= 1.5F);
    }
  });
  for (std::uint64_t id = 0; id < 600; ++id) {  // The first Append makes the sketches.
    ASSERT_TRUE(index->Remove(id * 13).ok());
    Append(*index, next++, topics);
  }
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
  int same = 0;
  for (int i = 0; i < 50; ++i) {
    const Question question = Ask(topics);
    const auto hits = Top(*index, question, RouteEffort::kAuto);
    for (const RouteHit& hit : hits) EXPECT_TRUE(hit.id >= 7801 || hit.id % 13 != 0);
    same += Same(hits, Top(*index, question, RouteEffort::kExact));
  }
  EXPECT_GE(same, 49);
}

}  // namespace
}  // namespace kvasir::compute
