// The words of a text as they are written.
#include "agent/words.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace kvasir::agent {
namespace {

TEST(Words, AreLettersOfAnyScriptWithApostrophesInside) {
  std::vector<std::string> words;
  ForEachWord("Don't 'ask' 7 Łódź-men!", [&](std::string_view word) { words.emplace_back(word); });
  EXPECT_THAT(words, ::testing::ElementsAre("Don't", "ask", "Łódź", "men"));
}

TEST(Words, OfNamesAreThoseWithACapitalThatIsNoSentences) {
  EXPECT_EQ(Names("The Bubye River lies in Zimbabwe. It joins the Limpopo: South of it\nNothing."),
            "Bubye River Zimbabwe Limpopo");
  EXPECT_EQ(Names("\"Well,\" said Ann. (Soon) Bo's left"), "Ann Bo's");
  EXPECT_EQ(Names(""), "");
}

}  // namespace
}  // namespace kvasir::agent
