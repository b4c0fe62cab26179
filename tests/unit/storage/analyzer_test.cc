#include "storage/analyzer.h"

#include <gmock/gmock.h>

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
