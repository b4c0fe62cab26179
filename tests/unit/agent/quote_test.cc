#include "agent/quote.h"

#include <gtest/gtest.h>

#include <vector>

namespace kvasir::agent {
namespace {

Passage Of(const char* text, double score) {
  Passage passage;
  passage.text = text;
  passage.score = score;
  return passage;
}

TEST(Quote, IsForRepliesThatSayNothing) {
  EXPECT_TRUE(LeavesUnsaid(""));
  EXPECT_TRUE(LeavesUnsaid(" \n"));
  EXPECT_TRUE(LeavesUnsaid("The answer is:\n"));
  EXPECT_FALSE(LeavesUnsaid("The answer is: Lisbon"));
  EXPECT_FALSE(LeavesUnsaid("Lisbon."));
}

TEST(Quote, IsWhatTheBestPassageSaysOfTheQuestion) {
  std::string text = "The river Tagus\nmeets the sea in Lisbon.";
  for (int i = 0; i < 20; ++i) text += " Bread is good and trams are yellow.";
  const std::vector<Passage> passages = {Of("Porto lies on the Douro.", 0.1),
                                         Of(text.c_str(), 0.9)};
  const std::string quote = Quote("Which river meets the sea?", passages);
  EXPECT_TRUE(quote.starts_with("The river Tagus meets the sea in Lisbon.")) << quote;
  EXPECT_LE(quote.size(), 240U);
}

TEST(Quote, OfNothingIsNothing) { EXPECT_EQ(Quote("Which river?", {}), ""); }

}  // namespace
}  // namespace kvasir::agent
