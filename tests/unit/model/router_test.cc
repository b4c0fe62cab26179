#include "model/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace kvasir::model {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

RouterSpec SomeSpec() {
  RouterSpec spec;
  spec.layers = {1, 4, 6};
  spec.key_heads = 2;
  spec.query_heads = 6;
  spec.head_dim = 4;
  return spec;
}

std::vector<float> RandomRows(std::int64_t rows, std::int64_t cols, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<std::size_t>(rows * cols));
  for (float& x : out) x = normal(random);
  return out;
}

double Cosine(const float* a, const float* b, std::int64_t n) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

double BestDot(const RouterQuery& query, const std::vector<float>& key) {
  double best = -1e30;
  for (std::int64_t v = 0; v < query.count; ++v) {
    double dot = 0;
    for (std::int64_t i = 0; i < query.dim; ++i)
      dot += double{query.vectors[v * query.dim + i]} * key[i];
    best = std::max(best, dot);
  }
  return best;
}

/// A key whose heads are unit vectors, as the encoder stores it.
std::vector<float> UnitKey(const RouterSpec& spec, std::uint32_t seed) {
  std::vector<float> key = RandomRows(1, spec.dim(), seed);
  RouterSpec keys = spec;
  keys.query_scale = 1;
  FinishHeads(keys, key);
  return key;
}

TEST(Router, FoldedHeadsScoreLikeTheDefinition) {
  const RouterSpec spec = SomeSpec();
  const std::vector<float> queries = RandomRows(5, spec.query_dim(), 1);
  const std::vector<float> key = UnitKey(spec, 2);
  double best = -2;
  for (std::int64_t t = 0; t < 5; ++t) {
    double sum = 0;
    for (std::int64_t h = 0; h < 6; ++h) {
      sum += Cosine(&queries[(t * 6 + h) * 4], &key[h / 3 * 4], 4);
    }
    best = std::max(best, sum / 6);
  }
  const RouterQuery query = FormQuery(spec, 4, queries, {});
  EXPECT_EQ(query.layer, 4);
  EXPECT_EQ(query.count, 5);
  EXPECT_EQ(query.dim, 8);
  EXPECT_NEAR(BestDot(query, key), best, 1e-6);
}

TEST(Router, MeanOverTokensLeavesOneVector) {
  RouterSpec spec = SomeSpec();
  spec.query_reduce = compute::QueryReduce::kMean;
  const std::vector<float> queries = RandomRows(5, spec.query_dim(), 3);
  const std::vector<float> key = UnitKey(spec, 4);
  double sum = 0;
  for (std::int64_t t = 0; t < 5; ++t) {
    for (std::int64_t h = 0; h < 6; ++h) {
      sum += Cosine(&queries[(t * 6 + h) * 4], &key[h / 3 * 4], 4);
    }
  }
  const RouterQuery query = FormQuery(spec, 1, queries, {});
  EXPECT_EQ(query.count, 1);
  EXPECT_NEAR(BestDot(query, key), sum / 30, 1e-6);
}

TEST(Router, MeanBeforeUnitTakesTheCosineOfTheMean) {
  RouterSpec spec = SomeSpec();
  spec.query_heads = 2;
  spec.query_reduce = compute::QueryReduce::kMean;
  spec.mean_before_unit = true;
  const std::vector<float> queries = RandomRows(3, spec.query_dim(), 5);
  const std::vector<float> key = UnitKey(spec, 6);
  std::vector<float> mean(8);
  for (std::size_t i = 0; i < queries.size(); ++i) mean[i % 8] += queries[i] / 3;
  const double expected = (Cosine(&mean[0], &key[0], 4) + Cosine(&mean[4], &key[4], 4)) / 2;
  EXPECT_NEAR(BestDot(FormQuery(spec, 1, queries, {}), key), expected, 1e-6);
}

/// A spec of one head of 8 whose questions are cut into parts of 4 tokens.
RouterSpec PartedSpec() {
  RouterSpec spec = SomeSpec();
  spec.key_heads = spec.query_heads = 1;
  spec.head_dim = 8;
  spec.query_reduce = compute::QueryReduce::kMean;
  spec.mean_before_unit = true;
  spec.query_part = 4;
  return spec;
}

TEST(Router, ALongQuestionAlsoAsksWithItsParts) {
  RouterSpec spec = PartedSpec();
  const std::vector<float> queries = RandomRows(11, 8, 9);
  const RouterQuery parted = FormQuery(spec, 1, queries, {});
  ASSERT_EQ(parted.count, 4);  // The whole, and 11 tokens as 3 + 4 + 4.
  spec.query_part = 0;
  std::vector<float> expected;
  for (const auto& [begin, end] : {std::pair{0, 11}, {0, 3}, {3, 7}, {7, 11}}) {
    const auto part = std::span(queries).subspan(begin * 8, (end - begin) * 8);
    const RouterQuery alone = FormQuery(spec, 1, part, {});
    expected.insert(expected.end(), alone.vectors.begin(), alone.vectors.end());
  }
  EXPECT_EQ(parted.vectors, expected);
}

TEST(Router, PartsAreForLongQuestionsAndFitOneRegisterBlock) {
  const RouterSpec spec = PartedSpec();
  const std::pair<int, int> cases[] = {{1, 1}, {5, 1}, {6, 3}, {9, 3}, {10, 4}, {28, 8}, {400, 8}};
  for (const auto& [tokens, vectors] : cases) {
    EXPECT_EQ(FormQuery(spec, 1, RandomRows(tokens, 8, 10), {}).count, vectors) << tokens;
  }
}

TEST(Router, OnlyMarkedTokensRoute) {
  const RouterSpec spec = SomeSpec();
  const std::vector<float> queries = RandomRows(4, spec.query_dim(), 7);
  const std::vector<std::uint8_t> routes = {0, 1, 0, 1};
  std::vector<float> marked(queries.begin() + 24, queries.begin() + 48);
  marked.insert(marked.end(), queries.begin() + 72, queries.end());
  EXPECT_EQ(FormQuery(spec, 1, queries, routes).vectors, FormQuery(spec, 1, marked, {}).vectors);
}

TEST(Router, NothingRoutesWhenNoTokenIsMarked) {
  const RouterSpec spec = SomeSpec();
  const std::vector<std::uint8_t> routes = {0, 0};
  const RouterQuery query = FormQuery(spec, 1, RandomRows(2, spec.query_dim(), 8), routes);
  EXPECT_EQ(query.count, 0);
  EXPECT_TRUE(query.vectors.empty());
}

TEST(Router, TheFirstTokenCanBeLeftOut) {
  RouterSpec spec = SomeSpec();
  const std::vector<float> queries = RandomRows(3, spec.query_dim(), 9);
  const auto without = FormQuery(spec, 1, std::span(queries).subspan(24), {});
  spec.skip_first_token = true;
  EXPECT_EQ(FormQuery(spec, 1, queries, {}).vectors, without.vectors);
  EXPECT_EQ(FormQuery(spec, 1, std::span(queries).first(24), {}).count, 1);
}

TEST(Router, LastKeepsTheLastRoutingToken) {
  RouterSpec spec = SomeSpec();
  const std::vector<float> queries = RandomRows(3, spec.query_dim(), 10);
  const std::vector<std::uint8_t> routes = {1, 1, 0};
  const auto second = FormQuery(spec, 1, std::span(queries).subspan(24, 24), {});
  spec.query_reduce = compute::QueryReduce::kLast;
  EXPECT_EQ(FormQuery(spec, 1, queries, routes).vectors, second.vectors);
}

TEST(Router, HeadMaximumKeepsEveryHead) {
  RouterSpec spec = SomeSpec();
  spec.head_reduce = compute::HeadReduce::kMax;
  std::vector<float> queries = RandomRows(2, spec.query_dim(), 11);
  const RouterQuery query = FormQuery(spec, 1, queries, {});
  EXPECT_EQ(query.dim, 24);
  FinishHeads(spec, queries);
  EXPECT_THAT(query.vectors, Pointwise(FloatNear(1e-6F), queries));
}

TEST(Router, ScalesQueriesThatAreNotUnitVectors) {
  RouterSpec spec = SomeSpec();
  spec.cosine = false;
  spec.query_scale = 0.5F;
  std::vector<float> queries = {2, 4, -6, 8};
  FinishHeads(spec, queries);
  EXPECT_THAT(queries, ElementsAre(1, 2, -3, 4));
}

TEST(Router, KnowsThePlaceOfALayer) {
  const RouterSpec spec = SomeSpec();
  EXPECT_EQ(spec.IndexOf(4), 1);
  EXPECT_EQ(spec.IndexOf(0), -1);
  EXPECT_EQ(spec.IndexOf(7), -1);
}

}  // namespace
}  // namespace kvasir::model
