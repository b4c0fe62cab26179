#include "agent/fusion.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kvasir::agent {
namespace {

constexpr FusionWeights kWeights{.bias = -3, .coverage = 1, .lexical_share = 2, .latent = 0.5};
constexpr LexicalEvidence kSome{.score = 3, .coverage = 0.25};
constexpr double kBest = 12;

double Score(std::optional<LexicalEvidence> lexical, std::optional<double> latent) {
  return Fuse(kWeights, EvidenceOf(kBest, lexical, latent));
}

TEST(Fusion, RisesWithEachChannel) {
  double last = 0;
  for (const double lexical : {0.0, 0.5, 3.0, 12.0}) {
    const double score = Score(LexicalEvidence{.score = lexical}, 0.2);
    EXPECT_GT(score, last);
    last = score;
  }
  EXPECT_GT(Score(LexicalEvidence{.score = 3, .coverage = 0.5}, 0.2), Score(kSome, 0.2));
  last = 0;
  for (const double latent : {0.0, 0.1, 0.2, 0.5}) {
    const double score = Score(kSome, latent);
    EXPECT_GT(score, last);
    last = score;
  }
}

TEST(Fusion, ATitleInTheQuestionAndALinkFromAGoodHitLift) {
  constexpr FusionWeights weights{.bias = -3, .lexical_share = 2, .named = 2, .link = 0.5};
  const double alone = Fuse(weights, {.lexical_share = 0.5});
  EXPECT_GT(Fuse(weights, {.lexical_share = 0.5, .named = 0.3}), alone);
  // p + (1 - p) x 0.5 x link x (0.1 + 0.9 share).
  EXPECT_NEAR(Fuse(weights, {.lexical_share = 0.5, .link = 0.8}),
              alone + (1 - alone) * 0.5 * 0.8 * 0.55, 1e-12);
  const double unasked = Fuse(weights, {});
  EXPECT_NEAR(Fuse(weights, {.link = 0.8}), unasked + (1 - unasked) * 0.5 * 0.8 * 0.1, 1e-12);
  // The better of both reasons.
  EXPECT_NEAR(Fuse(weights, {.link = 0.8, .bridge = 0.3}), unasked + (1 - unasked) * 0.5 * 0.3,
              1e-12);
  EXPECT_EQ(Fuse(weights, {.lexical_share = 0.5, .link = 0.8, .bridge = 0.3}),
            Fuse(weights, {.lexical_share = 0.5, .link = 0.8}));
}

TEST(Fusion, AmongMoreMemoriesTheSameEvidenceSaysLess) {
  constexpr FusionWeights weights{.bias = -1, .lexical_share = 2, .crowd = 0.5};
  const auto score = [&weights](double memories) {
    return Fuse(weights, {.lexical_share = 1, .crowd = std::log(memories / kCrowd)});
  };
  EXPECT_EQ(score(kCrowd), Fuse(weights, {.lexical_share = 1}));
  // Odds are divided by the root of how many times more there are.
  const auto odds = [&score](double memories) { return score(memories) / (1 - score(memories)); };
  EXPECT_NEAR(odds(10), 10 * odds(1000), 1e-9);
  EXPECT_NEAR(odds(100000), odds(1000) / 10, 1e-9);
}

TEST(Fusion, StaysBetweenZeroAndOne) {
  EXPECT_GT(Score(LexicalEvidence{}, -1), 0);
  EXPECT_LE(Score(LexicalEvidence{.score = 1e9, .coverage = 1}, 1e9), 1);
  EXPECT_LE(Fuse(kWeights, {.lexical_share = 1, .latent = 1e9, .named = 1, .link = 1}), 1);
}

TEST(Fusion, TheLatentChannelAloneRisesFromUnlikelyToLikely) {
  EXPECT_GT(ScoreAlone(-1), 0);
  EXPECT_LT(ScoreAlone(0.3), 0.01);  // As near as the second best memory mostly comes.
  EXPECT_GT(ScoreAlone(0.9), 0.5);
  EXPECT_LT(ScoreAlone(0.9), ScoreAlone(1));
  EXPECT_LE(ScoreAlone(1), 1);
}

TEST(Fusion, TakesAnAbsentChannelForNothing) {
  EXPECT_EQ(Score(kSome, std::nullopt), Score(kSome, 0.0));
  EXPECT_EQ(Score(std::nullopt, 0.3), Score(LexicalEvidence{}, 0.3));
}

TEST(Fusion, DividesByNothingWhenNoWordIsShared) {
  EXPECT_EQ(EvidenceOf(0, LexicalEvidence{}, 0.2).lexical_share, 0);
}

TEST(Lift, DrawsAWorseOneUpButNeverPastTheBetterOne) {
  for (const double own : {0.0, 1e-9, 0.02, 0.5, 0.98, 1.0}) {
    double last = own;
    for (const double beside : {0.0, 0.01, 0.3, 0.6, 0.99, 1.0}) {
      const double lifted = Lift(own, beside);
      EXPECT_GE(lifted, own);
      EXPECT_LE(lifted, std::max(own, beside));
      EXPECT_GE(lifted, last) << "a better neighbour says no less";
      EXPECT_EQ(lifted == own, beside <= own);
      last = lifted;
    }
  }
  // Two fifths of the way between the odds 1:9 and 9:1.
  EXPECT_NEAR(Lift(0.1, 0.9), 1 / (1 + std::pow(9, 0.2)), 1e-12);
}

}  // namespace
}  // namespace kvasir::agent
