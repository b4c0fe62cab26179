// Titles that texts name.
#include "storage/titles.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {

void PrintTo(const TitleMention& mention, std::ostream* out) {
  *out << "{" << mention.document << ", " << mention.strength << "}";
}

namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr HashKey kKey = {3, 1, 4};

auto Mention(DocumentNumber document, double strength) {
  return ::testing::AllOf(Field(&TitleMention::document, document),
                          Field(&TitleMention::strength, DoubleNear(strength, 1e-12)));
}

class TitlesTest : public ::testing::Test {
 protected:
  void Put(DocumentNumber document, std::string_view title) {
    index_.Put(document, TitleIndex::Keys(kKey, title));
  }
  std::vector<TitleMention> In(std::string_view text) const { return index_.In(kKey, text); }
  std::vector<TitleMention> Sharing(std::string_view names, std::string_view question,
                                    DocumentNumber from) const {
    return index_.Sharing(kKey, names, question, from);
  }
  TitleIndex index_;
};

TEST_F(TitlesTest, AreNamedWhateverTheirCaseAndFunctionWords) {
  Put(7, "The University of Oxford");
  EXPECT_THAT(In("who taught at university, Oxford?"), ElementsAre(Mention(7, 2.0 / 3)));
  EXPECT_THAT(In("Oxford has a university"), IsEmpty()) << "another order";
  EXPECT_THAT(In("the university and old Oxford"), IsEmpty()) << "a word between them";
}

TEST_F(TitlesTest, SayMoreTheLongerAndTheRarerTheyAre) {
  Put(1, "Mercury");
  Put(2, "Mercury");
  Put(3, "Harry S. Truman Library");
  EXPECT_THAT(In("Mercury"),
              ElementsAre(Mention(1, 1 / 3.0 / std::sqrt(2)), Mention(2, 1 / 3.0 / std::sqrt(2))));
  EXPECT_THAT(In("in Harry S. Truman Library, Missouri"), ElementsAre(Mention(3, 1)));
}

TEST_F(TitlesTest, AreNamedWithAndWithoutABracket) {
  Put(1, "Mercury (planet)");
  Put(2, "(planet)");
  EXPECT_THAT(In("how large is Mercury"), ElementsAre(Mention(1, 1 / 3.0)));
  EXPECT_THAT(In("Mercury planet"), ElementsAre(Mention(1, 2 / 3.0), Mention(2, 1 / 3.0)));
}

TEST_F(TitlesTest, ThatAreSentencesOrSharedByManyNameNothing) {
  Put(1, "one two three four five six seven eight nine");
  EXPECT_THAT(In("one two three four five six seven eight nine"), IsEmpty());
  for (DocumentNumber i = 2; i < 66; ++i) Put(i, "diary");
  EXPECT_EQ(In("a diary").size(), 64U);
  Put(66, "diary");
  EXPECT_THAT(In("a diary"), IsEmpty());
}

TEST_F(TitlesTest, ShareANameWithATextThatTheQuestionDoesNotHave) {
  Put(1, "Pocahontas Mounds");
  Put(2, "History of Mississippi");
  Put(3, "Mississippi (river)");
  Put(4, "Pocahontas, Mississippi");
  EXPECT_THAT(Sharing("Mississippi Jackson", "the history of Pocahontas Mounds", 1),
              ElementsAre(Mention(2, 1 / std::sqrt(3)), Mention(3, 0.5 / std::sqrt(3)),
                          Mention(4, 1 / std::sqrt(3))));
  EXPECT_THAT(Sharing("Mississippi", "history", 4), IsEmpty()) << "its own title has it";
  EXPECT_THAT(Sharing("Mississippi", "a history of Mississippi", 1), IsEmpty());
  index_.Remove(2);
  index_.Remove(4);
  Put(3, "The river");
  EXPECT_THAT(Sharing("Mississippi, River", "", 1), ElementsAre(Mention(3, 1)));
  for (DocumentNumber i = 5; i < 69; ++i) Put(i, "river");
  EXPECT_THAT(Sharing("River", "", 1), IsEmpty()) << "of 65";
}

TEST_F(TitlesTest, OfNothingNameNothing) {
  Put(1, "");
  EXPECT_THAT(In(""), IsEmpty());
  EXPECT_THAT(Sharing("", "", 1), IsEmpty());
  EXPECT_THAT(In("anything"), IsEmpty());
}

TEST(StoreTitles, FollowWritesEditsErasureAndReopening) {
  TempFolder folder;
  auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  ASSERT_OK(store->EnsureSpace("theirs"));
  const auto write = [&](const std::string& id, const std::string& title, WriteMode mode,
                         const std::string& where = "default") {
    DocumentWrite document = MakeWrite(id, "some text", where);
    document.record.title = title;
    document.mode = mode;
    ASSERT_OK(store->Commit(One(std::move(document))));
  };
  const auto named = [&](std::string_view text) {
    std::vector<DocumentNumber> numbers;
    const auto mentions = store->TitlesIn(space, text);
    EXPECT_OK(mentions);
    for (const TitleMention& mention : *mentions) numbers.push_back(mention.document);
    return numbers;
  };
  write("a", "Tagus", WriteMode::kCreate);
  write("a", "Tagus", WriteMode::kCreate, "theirs");
  EXPECT_THAT(named("the Tagus"), ElementsAre(0)) << "from disk";
  write("b", "Douro", WriteMode::kCreate);
  EXPECT_THAT(named("the Tagus, the Douro"), ElementsAre(0, 1)) << "as they come";
  EXPECT_THAT(*store->TitlesSharing(space, "Douro", "", 0), ElementsAre(Mention(1, 1)));
  write("a", "Minho", WriteMode::kNewVersion);
  EXPECT_THAT(named("Tagus"), IsEmpty());
  EXPECT_THAT(named("Minho"), ElementsAre(0));
  ASSERT_OK(store->Erase(space, std::vector<DocumentNumber>{1}, {.defer = true, .call = {}}));
  EXPECT_THAT(named("Douro"), IsEmpty());
  store.reset();
  store = OpenStore(folder / "store");
  EXPECT_THAT(named("Douro, Minho, Tagus"), ElementsAre(0));
}

}  // namespace
}  // namespace kvasir::storage
