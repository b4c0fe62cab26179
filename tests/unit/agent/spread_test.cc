// What repeats better hits makes room for what says something else.
#include "agent/spread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string_view>
#include <vector>

namespace kvasir::agent {
namespace {

constexpr char kJoined[] = "Where does the ferry leave and who steers it?";
constexpr FusionWeights kWeights{.bias = -6, .coverage = 2, .lexical_share = 5, .latent = 3};

Candidate Hit(storage::DocumentNumber document, std::vector<float> terms, double latent = 0) {
  double score = 0;
  for (const float term : terms) score += term;
  Candidate candidate;
  candidate.document = document;
  candidate.lexical = {.score = score, .coverage = score / 40};
  candidate.terms = std::move(terms);
  candidate.evidence = EvidenceOf(20, candidate.lexical, latent);
  candidate.score = Fuse(kWeights, candidate.evidence);
  return candidate;
}

std::vector<storage::DocumentNumber> Order(const std::vector<Candidate>& ranked) {
  std::vector<storage::DocumentNumber> order;
  for (const Candidate& candidate : ranked) order.push_back(candidate.document);
  return order;
}

TEST(Spread, TheOtherThingAskedForComesBeforeARepetition) {
  std::vector<Candidate> ranked = {Hit(1, {5, 5, 5, 5, 0, 0, 0, 0}),
                                   Hit(2, {5, 5, 5, 4, 0, 0, 0, 0}),
                                   Hit(3, {0, 0, 0, 0, 5, 5, 5, 3})};
  const std::vector<Candidate> before = ranked;
  Spread(kWeights, kJoined, &ranked);
  EXPECT_EQ(Order(ranked), (std::vector<storage::DocumentNumber>{1, 3, 2}));
  EXPECT_EQ(ranked[0].score, before[0].score);
  EXPECT_NEAR(ranked[1].score, before[2].score, 1e-12) << "nothing of it was said";
  EXPECT_LT(ranked[2].score, before[1].score);
}

TEST(Spread, AMuchBetterRepetitionStaysBefore) {
  std::vector<Candidate> ranked = {Hit(1, {5, 5, 5, 5, 0, 0, 0, 0}),
                                   Hit(2, {5, 5, 5, 5, 0, 0, 0, 0}),
                                   Hit(3, {0, 0, 0, 0, 5, 3, 0, 0})};
  Spread(kWeights, kJoined, &ranked);
  EXPECT_EQ(Order(ranked), (std::vector<storage::DocumentNumber>{1, 2, 3}));
}

bool Stays(std::string_view question, std::size_t terms) {
  std::vector<float> first(terms), again(terms), other(terms);
  std::fill_n(first.begin(), terms / 2, 5.0F);
  std::fill_n(again.begin(), terms / 2, 4.9F);
  std::fill_n(other.rbegin(), terms / 2, 4.8F);
  std::vector<Candidate> ranked = {Hit(1, first), Hit(2, again), Hit(3, other)};
  const std::vector<Candidate> before = ranked;
  Spread(kWeights, question, &ranked);
  return std::ranges::equal(ranked, before, [](const Candidate& a, const Candidate& b) {
    return a.document == b.document && a.score == b.score;
  });
}

TEST(Spread, AShortQuestionAsksForOneThing) {
  EXPECT_TRUE(Stays(kJoined, 6));
  EXPECT_FALSE(Stays(kJoined, 7));
}

TEST(Spread, AQuestionThatJoinsNothingAsksForOneThing) {
  for (const char* one : {"where does the ferry leave", "the sandy band of Andorra",
                          "10,000 things", "", "a-b", "caf\u00e9 o\u00f9"}) {
    EXPECT_TRUE(Stays(one, 8)) << one;
  }
  for (const char* several :
       {"the ferry AND the bridge", "ferry, bridge", "ferry; bridge", "older than", "and",
        "this while that", "10,000 things or more", "ferry,"}) {
    EXPECT_FALSE(Stays(several, 8)) << several;
  }
}

TEST(Spread, OrdersAnewWithoutRaisingAnything) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (const std::size_t count : {0, 1, 2, 9, 10, 11, 60}) {
    std::vector<Candidate> ranked;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<float> terms;
      for (int t = 0; t < 12 && i % 7 != 3; ++t) {
        terms.push_back(uniform(random) < 0.4F ? 2 * uniform(random) : 0);
      }
      ranked.push_back(Hit(i, std::move(terms), uniform(random)));
    }
    std::ranges::sort(ranked, Better);
    std::map<storage::DocumentNumber, double> before;
    for (const Candidate& candidate : ranked) before[candidate.document] = candidate.score;
    const double best = count > 0 ? ranked[0].score : 0;
    Spread(kWeights, kJoined, &ranked);
    ASSERT_EQ(ranked.size(), count);
    EXPECT_TRUE(std::ranges::is_sorted(ranked, Better)) << count;
    EXPECT_EQ(count > 0 ? ranked[0].score : 0, best);
    for (const Candidate& candidate : ranked) {
      ASSERT_EQ(before.count(candidate.document), 1U);
      EXPECT_LE(candidate.score, before[candidate.document] + 1e-12);
      if (candidate.terms.empty()) {
        EXPECT_NEAR(candidate.score, before[candidate.document], 1e-12);
      }
      before.erase(candidate.document);
    }
    EXPECT_TRUE(before.empty());
  }
}

}  // namespace
}  // namespace kvasir::agent
