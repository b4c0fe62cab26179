// What a hurried person types becomes what the memories write.
#include "agent/proofread.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace kvasir::agent {
namespace {

const std::vector<WrittenText> kTexts = {
    {"Tromsø harbour", "The Tromsø ferry leaves Skarven pier at noon. Skarven is a bar as well."},
    {"", "skarven"},
    {"", "Bridges are what Ada Berg paints, and Ada's bridges are red. \"Red\" said BBC news."}};

std::string Read(std::string_view question, const std::vector<std::string>& unknown = {}) {
  return Proofread(question, unknown, kTexts);
}

TEST(Proofread, KnowsWhatIsTypedInOneCase) {
  for (const char* question : {"who painted it", "Who painted it?", "WHO PAINTED IT", "é 12 who"}) {
    EXPECT_TRUE(IsInOneCase(question)) << question;
  }
  for (const char* question :
       {"who painted Oslo", "Who is Ada?", "NASA", "", "12 + 4", "iPhone", "NASA 是什么"}) {
    EXPECT_FALSE(IsInOneCase(question)) << question;
  }
}

TEST(Proofread, GivesNamesTheirCapitalsAndAQuestionItsMark) {
  EXPECT_EQ(Read("when does the ferry leave skarven"), "When does the ferry leave Skarven?");
  EXPECT_EQ(Read("WHAT DID ADA BERG PAINT?"), "What did Ada Berg paint?");
  EXPECT_EQ(Read("what are ada's bridges"), "What are Ada's bridges?");
  EXPECT_EQ(Read("is red what bridges are"), "Is red what bridges are?") << "not as they begin";
  EXPECT_EQ(Read("bbc news, 2024"), "BBC news, 2024") << "no question";
  EXPECT_EQ(Read("who is ada berg in 1999"), "Who is Ada Berg in 1999?");
  EXPECT_EQ(Read("who knows ..."), "Who knows ...");
}

TEST(Proofread, LeavesAProperQuestionAlone) {
  for (const char* question :
       {"When does SKARVEN open", "is Ada a Berg", "Does ada know Skarven?"}) {
    EXPECT_EQ(Read(question), question);
  }
}

TEST(Proofread, MendsWordsThatNoMemoryHas) {
  EXPECT_EQ(Read("Are Ada's brigdes red?", {"brigd"}), "Are Ada's bridges red?");
  EXPECT_EQ(Read("Where does Skravn lie, Ada?", {"skravn"}), "Where does Skravn lie, Ada?")
      << "two errors";
  EXPECT_EQ(Read("Where does Skravne lie, Ada?", {"skravn"}), "Where does Skravne lie, Ada?");
  EXPECT_EQ(Read("Where does Sakrven lie, Ada?", {"sakrven"}), "Where does Skarven lie, Ada?");
  EXPECT_EQ(Read("Where does Sakrven lie, Ada?"), "Where does Sakrven lie, Ada?")
      << "a memory that was not read may have it";
  EXPECT_EQ(Read("where is sakrven", {"sakrven"}), "Where is Skarven?");
  const std::string nine = "Ada, sakrven aaaa bbbb cccc dddd eeee ffff gggg hhhh";
  const std::vector<std::string> unknown = {"sakrven", "aaaa", "bbbb", "cccc", "dddd",
                                            "eeee",    "ffff", "gggg", "hhhh"};
  EXPECT_EQ(Read(nine, unknown), nine) << "another language";
}

TEST(Proofread, KeepsEverythingElse) {
  EXPECT_EQ(Read("  tromsø?!\t東京 \xF0\x9F\x98\x80"), "  Tromsø?!\t東京 \xF0\x9F\x98\x80");
  EXPECT_EQ(Read(""), "");
  EXPECT_EQ(Proofread("who is there", {}, {}), "Who is there?");
}

}  // namespace
}  // namespace kvasir::agent
