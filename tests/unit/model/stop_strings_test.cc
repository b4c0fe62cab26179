#include "model/stop_strings.h"

#include <gtest/gtest.h>

namespace kvasir::model {
namespace {

TEST(StopStrings, PassEverythingThroughWithoutAny) {
  StopStrings stops({""});
  EXPECT_EQ(stops.Push("any text"), "any text");
  EXPECT_EQ(stops.Finish(), "");
  EXPECT_FALSE(stops.stopped());
}

TEST(StopStrings, EndTheTextInFrontOfThem) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.Push("one END two"), "one ");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.Push("three"), "");
  EXPECT_EQ(stops.Finish(), "");
}

TEST(StopStrings, AreFoundAcrossPieces) {
  StopStrings stops({"\n\nUser:"});
  EXPECT_EQ(stops.Push("fine.\n"), "fine.");
  EXPECT_EQ(stops.Push("\nUs"), "");
  EXPECT_EQ(stops.Push("er: hello"), "");
  EXPECT_TRUE(stops.stopped());
}

TEST(StopStrings, GiveBackWhatOnlyLookedLikeOne) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.Push("xaa"), "x");
  EXPECT_EQ(stops.Push("a"), "a");
  EXPECT_EQ(stops.Finish(), "aa");
  EXPECT_FALSE(stops.stopped());
}

TEST(StopStrings, TheEarliestOfSeveralCounts) {
  StopStrings stops({"late", "now"});
  EXPECT_EQ(stops.Push("from now to late"), "from ");
}

}  // namespace
}  // namespace kvasir::model
