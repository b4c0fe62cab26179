#include "storage/analyzer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

namespace kvasir::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Analyzer, FoldsCaseStripsAccentsAndStems) {
  EXPECT_THAT(Terms("Running CAFÉS, cafes!"), ElementsAre("run", "cafe", "cafe"));
  EXPECT_EQ(Terms("naïve Ångström"), Terms("NAIVE angstrom"));
}

TEST(Analyzer, ReadsComposedAndDecomposedTextAlike) {
  EXPECT_EQ(Terms("caf\u00e9"), Terms("cafe\u0301"));
  EXPECT_EQ(Terms("\uff21\uff22\uff23"), Terms("ABC")) << "full width";
}

TEST(Analyzer, KeepsApostrophesInsideWordsOnly) {
  EXPECT_EQ(Terms("the dog's bone"), Terms("the dog\u2019s bone"));
  EXPECT_THAT(Terms("'quoted'"), ElementsAre("quot"));
}

TEST(Analyzer, SplitsAtPunctuationAndKeepsDigits) {
  EXPECT_THAT(Terms("foo_bar-42.5"), ElementsAre("foo", "bar", "42", "5"));
}

TEST(Analyzer, GivesCodePointsAndPairsOfUnspacedScripts) {
  EXPECT_THAT(Terms("水道a"), ElementsAre("水", "水道", "道", "a"));
  EXPECT_THAT(Terms("水 道"), ElementsAre("水", "道"));
}

TEST(Analyzer, GivesThePartsOfCompoundsToo) {
  EXPECT_THAT(Terms("LiHua's dog"), ElementsAre("lihua", "li", "hua", "dog"));
  EXPECT_THAT(Terms("parseHTTPHeader2"),
              ElementsAre("parsehttpheader2", "pars", "http", "header", "2"));
  EXPECT_THAT(Terms("USA Lisbon eBay"), ElementsAre("usa", "lisbon", "ebay", "e", "bay"));
  EXPECT_THAT(Terms("MünchenSüd"), ElementsAre("munchensud")) << "letters beyond ASCII";
}

TEST(Analyzer, KnowsNumbersWithAndWithoutCommas) {
  EXPECT_THAT(Terms("10,000 or 1,234,567.89"),
              ElementsAre("10", "000", "10000", "or", "1", "234", "567", "1234567", "89"));
  EXPECT_THAT(Terms("10, 000 and 12,34"), ElementsAre("10", "000", "and", "12", "34"));
  EXPECT_THAT(Terms("1st 22nd th"), ElementsAre("1", "1st", "22", "22nd", "th"));
}

TEST(Analyzer, KnowsDatesAsPeopleSayThem) {
  EXPECT_THAT(Terms("2026-05-01."), ElementsAre("2026", "05", "01", "may", "1"));
  EXPECT_THAT(Terms("Ada (2026-10-25T18:30): hi"),
              ElementsAre("ada", "2026", "10", "octob", "25", "25t18", "30", "hi"));
  EXPECT_THAT(Terms("Chat 20261025 1600"),
              ElementsAre("chat", "20261025", "2026", "octob", "25", "1600"));
  for (const char* none : {"2026-13-01", "2026-02-32", "555-12-34", "99991231", "2026-5-1"}) {
    for (const std::string& term : Terms(none)) {
      EXPECT_TRUE(std::ranges::all_of(term, [](char c) { return c >= '0' && c <= '9'; })) << none;
    }
  }
}

TEST(Analyzer, AsksEachThingOnceAndSuchThatEveryFormInADocumentIsFound) {
  const auto asked = [](std::string_view text) { return Terms(text, TermForms::kQuestion); };
  EXPECT_THAT(asked("LiHua, 10,000 on the 1st"), ElementsAre("lihua", "10000", "on", "the", "1"));
  EXPECT_THAT(
      asked("2026-05-01 20261025 1,2,3 a-7"),
      ElementsAre("2026", "may", "1", "20261025", "2026", "octob", "25", "1", "2", "3", "a", "7"));
  for (const char* text : {"LiHua met Li Hua", "10,000", "the 2nd of May", "2026-05-01T10:30",
                           "20261025", "1-2-3", "12,34", "7", "Ada's 3-room flat, 555-1234"}) {
    const std::vector<std::string> terms = Terms(text);
    for (const std::string& term : asked(text)) {
      EXPECT_THAT(terms, ::testing::Contains(term)) << text;
    }
  }
}

TEST(Analyzer, FindsNoTermInNothing) {
  EXPECT_THAT(Terms(""), IsEmpty());
  EXPECT_THAT(Terms(" \t\n…—!?"), IsEmpty());
}

TEST(Analyzer, SurvivesBadUtf8) {
  EXPECT_NO_FATAL_FAILURE(Terms("abc\xFF\xFE"));
  EXPECT_NO_FATAL_FAILURE(Terms(std::string(100000, '\xE2')));
}

}  // namespace
}  // namespace kvasir::storage
