#include "agent/fusion.h"

#include <gtest/gtest.h>

namespace kvasir::agent {
namespace {

constexpr FusionWeights kWeights{.bias = -3, .lexical = 1, .lexical_share = 2, .latent = 0.5};
constexpr QuestionScale kScale{.best_lexical = 12, .latent_mean = 0.2, .latent_deviation = 0.1};

TEST(Fusion, RisesWithEachChannel) {
  double last = 0;
  for (const double lexical : {0.0, 0.5, 3.0, 12.0}) {
    const double score = Fuse(kWeights, kScale, lexical, 0.2);
    EXPECT_GT(score, last);
    last = score;
  }
  last = 0;
  for (const double latent : {0.0, 0.1, 0.2, 0.5}) {
    const double score = Fuse(kWeights, kScale, 3.0, latent);
    EXPECT_GT(score, last);
    last = score;
  }
}

TEST(Fusion, StaysBetweenZeroAndOne) {
  EXPECT_GT(Fuse(kWeights, kScale, 0, -1e9), 0);
  EXPECT_LE(Fuse(kWeights, kScale, 1e9, 1e9), 1);
}

TEST(Fusion, TakesAnAbsentChannelForAnAverageOne) {
  EXPECT_EQ(Fuse(kWeights, kScale, 3.0, std::nullopt), Fuse(kWeights, kScale, 3.0, 0.2));
  EXPECT_EQ(Fuse(kWeights, kScale, std::nullopt, 0.3), Fuse(kWeights, kScale, 0.0, 0.3));
}

TEST(Fusion, MakesNothingOfASpreadThatIsNone) {
  const QuestionScale flat{.best_lexical = 12, .latent_mean = 0.2, .latent_deviation = 0};
  EXPECT_NEAR(Fuse(kWeights, flat, 3.0, 0.2), Fuse(kWeights, kScale, 3.0, 0.2), 1e-12);
}

}  // namespace
}  // namespace kvasir::agent
