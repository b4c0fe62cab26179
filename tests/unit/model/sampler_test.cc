#include "model/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace kvasir::model {
namespace {

const std::vector<float> kLogits = {0.0F, 2.0F, 1.0F, 2.0F, -1.0F};

TEST(Sampler, GreedyTakesTheLowestIdAmongEquals) { EXPECT_EQ(Sampler({}).Next(kLogits), 1); }

TEST(Sampler, OnlyAllowedTokensComeOut) {
  const std::vector<std::int32_t> allowed = {0, 4};
  EXPECT_EQ(Sampler({}).Next(kLogits, allowed), 0);
  Sampler hot({.temperature = 5, .seed = 3});
  for (int i = 0; i < 200; ++i) {
    const std::int32_t token = hot.Next(kLogits, allowed);
    EXPECT_TRUE(token == 0 || token == 4);
  }
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  Sampler a({.temperature = 1, .seed = 42});
  Sampler b({.temperature = 1, .seed = 42});
  Sampler c({.temperature = 1, .seed = 43});
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::int32_t token = a.Next(kLogits);
    EXPECT_EQ(token, b.Next(kLogits));
    differs = differs || token != c.Next(kLogits);
  }
  EXPECT_TRUE(differs);
}

TEST(Sampler, DrawsInProportion) {
  Sampler sampler({.temperature = 2, .seed = 7});
  std::vector<int> counts(kLogits.size());
  const int draws = 20000;
  for (int i = 0; i < draws; ++i) ++counts[sampler.Next(kLogits)];
  double total = 0;
  for (const float logit : kLogits) total += std::exp(logit / 2);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_NEAR(counts[i] / double{draws}, std::exp(kLogits[i] / 2) / total, 0.015);
  }
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  // Probabilities: the two 2.0 have .39 each, 1.0 has .14.
  Sampler sampler({.temperature = 1, .top_p = 0.5F, .seed = 1});
  std::set<std::int32_t> seen;
  for (int i = 0; i < 500; ++i) seen.insert(sampler.Next(kLogits));
  EXPECT_EQ(seen, (std::set<std::int32_t>{1, 3}));
}

TEST(Sampler, ATinyTopPIsGreedy) {
  Sampler sampler({.temperature = 3, .top_p = 1e-6F, .seed = 1});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(sampler.Next(kLogits), 1);
}

}  // namespace
}  // namespace kvasir::model
