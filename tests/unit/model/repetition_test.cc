#include "model/repetition.h"

#include <gtest/gtest.h>

#include <vector>

namespace kvasir::model {
namespace {

std::vector<std::int32_t> Repeated(const std::vector<std::int32_t>& run, int times,
                                   std::vector<std::int32_t> before = {7, 8, 9}) {
  for (int i = 0; i < times; ++i) before.insert(before.end(), run.begin(), run.end());
  return before;
}

TEST(Repetition, IsARunThreeTimesInARow) {
  const std::vector<std::int32_t> run = {1, 2, 3, 4};
  EXPECT_FALSE(EndsInLoop(Repeated(run, 2)));
  EXPECT_TRUE(EndsInLoop(Repeated(run, 3)));
}

TEST(Repetition, OfAShortRunNeedsTwelveTokens) {
  EXPECT_FALSE(EndsInLoop(Repeated({5}, 11)));
  EXPECT_TRUE(EndsInLoop(Repeated({5}, 12)));
  EXPECT_FALSE(EndsInLoop(Repeated({5, 6}, 5)));
  EXPECT_TRUE(EndsInLoop(Repeated({5, 6}, 6)));
}

TEST(Repetition, MayBeLong) {
  std::vector<std::int32_t> run;
  for (int i = 0; i < 64; ++i) run.push_back(i);
  EXPECT_TRUE(EndsInLoop(Repeated(run, 3)));
  run.push_back(64);
  EXPECT_FALSE(EndsInLoop(Repeated(run, 3)));
}

TEST(Repetition, IsOnlySeenAtTheEnd) {
  std::vector<std::int32_t> tokens = Repeated({1, 2, 3, 4}, 3);
  tokens.push_back(99);
  EXPECT_FALSE(EndsInLoop(tokens));
  EXPECT_FALSE(EndsInLoop({}));
}

}  // namespace
}  // namespace kvasir::model
