#include "agent/borders.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace kvasir::agent {
namespace {

// The border right before `right` in left + right.
std::optional<BorderKind> Between(const std::string& left, const std::string& right) {
  const std::string text = left + right;
  for (const Border& border : FindBorders(text, 0, text.size(), {})) {
    if (border.position == left.size()) return border.kind;
  }
  return std::nullopt;
}

TEST(Borders, KnowTheirKinds) {
  EXPECT_EQ(Between("one\n\n", "two"), BorderKind::kParagraph);
  EXPECT_EQ(Between("one\r\n\r\n", "two"), BorderKind::kParagraph);
  EXPECT_EQ(Between("one\n", "two"), BorderKind::kLine);
  EXPECT_EQ(Between("One. ", "Two"), BorderKind::kSentence);
  EXPECT_EQ(Between("\"One?\" ", "Two"), BorderKind::kSentence);
  EXPECT_EQ(Between("one, ", "two"), BorderKind::kClause);
  EXPECT_EQ(Between("one ", "two"), BorderKind::kWord);
}

TEST(Borders, EndASentenceWithoutASpaceInChinese) {
  EXPECT_EQ(Between("\u4F60\u597D\u3002", "\u6211\u5728"), BorderKind::kSentence);
  EXPECT_EQ(Between("\u4F60", "\u597D"), std::nullopt);
}

TEST(Borders, AreNotFooledByAbbreviations) {
  EXPECT_EQ(Between("e.g. ", "this"), BorderKind::kWord);
  EXPECT_EQ(Between("J. ", "Smith"), BorderKind::kWord);
}

TEST(Borders, TreatATurnAsAParagraph) {
  const std::size_t turn = 4;
  const auto borders = FindBorders("one two", 0, 7, {&turn, 1});
  ASSERT_EQ(borders.size(), 2U);
  EXPECT_EQ(borders[0].position, 4U);
  EXPECT_EQ(borders[0].kind, BorderKind::kParagraph);
  EXPECT_EQ(borders[1].position, 7U);
}

TEST(Borders, StartWhereTheyAreTold) {
  for (const Border& border : FindBorders("a b c d", 4, 7, {})) EXPECT_GT(border.position, 4U);
}

}  // namespace
}  // namespace kvasir::agent
