#include "model/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kvasir::model {
namespace {

std::string Lossy(std::string_view bytes, size_t* left = nullptr) {
  std::string out;
  const size_t unfinished = AppendUtf8Lossy(bytes, out);
  if (left != nullptr) *left = unfinished;
  return out;
}

TEST(Utf8, AcceptsEveryScalarValueAndReadsItBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string text;
    AppendCodePoint(c, text);
    ASSERT_TRUE(ValidateUtf8(text).ok()) << static_cast<uint32_t>(c);
    size_t at = 0;
    ASSERT_EQ(NextCodePoint(text, at), c);
    ASSERT_EQ(at, text.size());
  }
}

TEST(Utf8, RefusesWhatIsNoCharacterAndSaysWhere) {
  const std::string_view bad[] = {"\x80",
                                  "\xC0\xAF",
                                  "\xC1\xBF",
                                  "\xE0\x9F\x80",
                                  "\xED\xA0\x80",
                                  "\xF0\x8F\xBF\xBF",
                                  "\xF4\x90\x80\x80",
                                  "\xF5\x80\x80\x80",
                                  "\xFF",
                                  "\xC3",
                                  "\xE2\x82",
                                  "\xF0\x9F\x98",
                                  "\xC3("};
  for (const std::string_view bytes : bad) {
    const Status status = ValidateUtf8("ab" + std::string(bytes) + "c");
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "text is not UTF-8 at byte 2");
  }
}

TEST(Utf8, ReplacesEachMaximalPieceByOneReplacementCharacter) {
  // The Unicode standard's own example (table 3-8).
  EXPECT_EQ(Lossy("a\xF1\x80\x80\xE1\x80\xC2"
                  "b\x80"
                  "c\x80\xBF"
                  "d"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
}

TEST(Utf8, LeavesAnUnfinishedCharacterAlone) {
  size_t left = 0;
  EXPECT_EQ(Lossy("x\xF0\x9F\x98", &left), "x");
  EXPECT_EQ(left, 3u);
  EXPECT_EQ(Lossy("x\xF0\x9F\x98\x80", &left), "x\U0001F600");
  EXPECT_EQ(left, 0u);
}

}  // namespace
}  // namespace kvasir::model
