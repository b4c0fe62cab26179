#include "agent/excerpt.h"

#include <gtest/gtest.h>

#include <string>

namespace kvasir::agent {
namespace {

std::string ExcerptOf(const std::string& text, std::string_view question, std::size_t most) {
  const Span span = Excerpt(text, question, most);
  return text.substr(span.begin, span.end - span.begin);
}

const std::string kText =
    "Lisbon is old. It lies on seven hills. The river Tagus meets the sea there. Fado is its song. "
    "Trams are yellow. Bread is good.";

TEST(Excerpt, OfAShortTextIsAllOfIt) {
  EXPECT_EQ(ExcerptOf("One. Two.", "three?", 100), "One. Two.");
}

TEST(Excerpt, HoldsTheSentencesThatSpeakOfTheQuestion) {
  const std::string excerpt = ExcerptOf(kText, "Which river meets the sea?", 60);
  EXPECT_NE(excerpt.find("The river Tagus meets the sea there."), std::string::npos) << excerpt;
  EXPECT_LE(excerpt.size(), 60U);
}

TEST(Excerpt, ReachesOverTwoMatchesWhenTheyFit) {
  const std::string excerpt = ExcerptOf(kText, "What song is heard where the Tagus ends?", 70);
  EXPECT_NE(excerpt.find("Tagus"), std::string::npos) << excerpt;
  EXPECT_NE(excerpt.find("song"), std::string::npos) << excerpt;
}

TEST(Excerpt, WithoutAMatchIsTheStart) {
  const std::string excerpt = ExcerptOf(kText, "quartz", 40);
  EXPECT_TRUE(kText.starts_with(excerpt));
  EXPECT_GT(excerpt.size(), 20U);
}

TEST(Excerpt, CutsASentenceThatIsTooLongBetweenWords) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "word ";
  const std::string excerpt = ExcerptOf(text + "needle and more words", "needle", 50);
  EXPECT_LE(excerpt.size(), 50U);
  EXPECT_NE(excerpt.find("needle"), std::string::npos) << excerpt;
}

TEST(Excerpt, NeverSplitsACharacter) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ü";
  for (std::size_t most = 1; most < 20; ++most) {
    const std::string excerpt = ExcerptOf(text, "x", most);
    EXPECT_EQ(excerpt.size() % 2, 0U) << most;
  }
}

}  // namespace
}  // namespace kvasir::agent
