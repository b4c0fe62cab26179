#include "agent/fusion.h"

#include <gtest/gtest.h>

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

TEST(Fusion, StaysBetweenZeroAndOne) {
  EXPECT_GT(Score(LexicalEvidence{}, -1), 0);
  EXPECT_LE(Score(LexicalEvidence{.score = 1e9, .coverage = 1}, 1e9), 1);
}

TEST(Fusion, TakesAnAbsentChannelForNothing) {
  EXPECT_EQ(Score(kSome, std::nullopt), Score(kSome, 0.0));
  EXPECT_EQ(Score(std::nullopt, 0.3), Score(LexicalEvidence{}, 0.3));
}

TEST(Fusion, DividesByNothingWhenNoWordIsShared) {
  EXPECT_EQ(EvidenceOf(0, LexicalEvidence{}, 0.2).lexical_share, 0);
}

}  // namespace
}  // namespace kvasir::agent
