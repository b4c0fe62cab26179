#include "http/json.h"

#include <gtest/gtest.h>

#include <string>

namespace kvasir::http {
namespace {

std::string Nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

std::string FailureOf(std::string_view text) { return ParseJson(text).status().message(); }

TEST(Json, ReadsWhatPeopleSend) {
  const auto json = ParseJson(R"( {"a":[1,-2,3.5,true,null,"ä"],"b":{}} )");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(DumpJson(*json), R"({"a":[1,-2,3.5,true,null,"ä"],"b":{}})");
}

TEST(Json, TakesSixtyFourLevelsAndNoMore) {
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth)).ok());
  EXPECT_EQ(FailureOf(Nested(kMaxJsonDepth + 1)), "the JSON has more than 64 levels");
}

TEST(Json, RefusesAHundredThousandLevelsWithoutRecursion) {
  EXPECT_EQ(FailureOf(std::string(100'000, '[')), "the JSON has more than 64 levels");
}

TEST(Json, KeepsIntegersOfSixtyFourBitsExactly) {
  const auto json = ParseJson("[9223372036854775807,-9223372036854775808,18446744073709551615]");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(DumpJson(*json), "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

TEST(Json, RefusesIntegersThatItWouldRound) {
  EXPECT_EQ(FailureOf("[18446744073709551616]"), "the JSON has an integer over 64 bits");
  EXPECT_EQ(FailureOf("-9223372036854775809"), "the JSON has an integer over 64 bits");
  EXPECT_TRUE(ParseJson("1e300").ok());
  EXPECT_FALSE(ParseJson("1e400").ok());
}

TEST(Json, RefusesBadUtf8NamingTheByte) {
  for (const std::string_view text :
       {"\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xE2\x82\"", R"("\ud800")"}) {
    EXPECT_NE(FailureOf(text).find("a mistake at byte"), std::string::npos) << text;
  }
}

TEST(Json, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(FailureOf(R"({"a":1,"a":2})"), "the JSON has the key \"a\" twice in one object");
  EXPECT_TRUE(ParseJson(R"({"a":{"a":1},"b":{"a":2}})").ok());
}

TEST(Json, BoundsTheNumberOfValues) {
  std::string zeros = "[0";
  for (std::size_t i = 1; i < kMaxJsonValues; ++i) zeros += ",0";
  EXPECT_FALSE(ParseJson(zeros + "]").ok());
  EXPECT_TRUE(ParseJson(zeros.substr(0, zeros.size() - 2) + "]").ok());
}

TEST(Json, RefusesAnythingAfterTheDocument) {
  EXPECT_FALSE(ParseJson("{} {}").ok());
  EXPECT_FALSE(ParseJson("").ok());
}

TEST(Json, WritesBadBytesAsReplacementCharacters) {
  EXPECT_EQ(DumpJson(Json("a\xFF")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace kvasir::http
