#include <gmock/gmock.h>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using RecallTest = MemoryTest;

TEST_F(RecallTest, RanksTheMemoryThatAnswersFirst) {
  Remember("tea", "Green tea is brewed at eighty degrees.");
  Remember("ada", "Ada moved to Lisbon in May and works at the port.");
  Remember("car", "The car needs new brakes before winter.");
  const auto found = memory().Recall(Query("In which city does Ada work?"));
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->candidates, 3U);
  ASSERT_FALSE(found->hits.empty());
  const Hit& best = found->hits.front();
  EXPECT_EQ(best.id, "ada");
  EXPECT_GT(best.score, 0);
  EXPECT_LE(best.score, 1);
  EXPECT_TRUE(best.latent.has_value());
  EXPECT_TRUE(best.lexical.has_value());
  for (std::size_t i = 1; i < found->hits.size(); ++i) {
    EXPECT_LE(found->hits[i].score, found->hits[i - 1].score);
  }
}

TEST_F(RecallTest, HearsAHurriedQuestionAsTheMemoriesWriteIt) {
  Remember("ada", "In spring Ada Berg moved to Lisbon, and Ada works at the port.");
  Remember("tea", "Green tea is brewed at eighty degrees.");
  RecallRequest request = Query("When did Ada Berg move to Lisbon?");
  request.lexical = false;
  const auto latent_of_ada = [&](const char* question) {
    request.query = question;
    const auto found = memory().Recall(request);
    return found.ok() && !found->hits.empty() && found->hits[0].id == "ada" ? *found->hits[0].latent
                                                                            : -1.0;
  };
  const double proper = latent_of_ada("When did Ada Berg move to Lisbon?");
  EXPECT_EQ(latent_of_ada("when did ada berg move to lisbon"), proper);
  EXPECT_EQ(latent_of_ada("WHEN DID ADA BERG MOVE TO LISBON?"), proper);
  EXPECT_NE(latent_of_ada("When did Ada Berg move to Lisobn?"), proper);
  request.lexical = true;
  const double beside = latent_of_ada("When did Ada Berg move to Lisbon?");
  EXPECT_EQ(latent_of_ada("When did Ada Berg move to Lisobn?"), beside);
  EXPECT_NE(latent_of_ada("When did Ada Berg move to Oslo?"), beside);
  // What may not be searched does not say how words are written.
  request.filter = *ParseFilter(R"({"kind":"note"})");
  RememberRequest note;
  note.id = "note";
  note.text = "We sailed to lisbon.";
  note.metadata["kind"] = "note";
  Remember(note);
  request.query = "when did ada berg move to lisbon";
  const double typed = *memory().Recall(request)->hits.at(0).latent;
  request.query = "When did Ada Berg move to Lisbon?";
  EXPECT_NE(*memory().Recall(request)->hits.at(0).latent, typed);
}

TEST_F(RecallTest, TheLatentChannelAloneRanksAndCutsByItsOwnScores) {
  for (const char* who : {"Ada", "Ben", "Cleo", "Dan"}) {
    Remember(who,
             std::string("Order of ") + who + ": one table by the window, to be paid in cash.");
  }
  Remember("tea", "Green tea is brewed at eighty degrees.");
  RecallRequest request = Query("Which table did Cleo order?");
  request.lexical = false;
  const auto alone = memory().Recall(request);
  ASSERT_TRUE(alone.ok());
  ASSERT_EQ(alone->hits.size(), 5U);
  EXPECT_EQ(alone->hits[0].id, "Cleo");
  EXPECT_EQ(alone->hits[4].id, "tea");
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_GT(alone->hits[i].score, 0);
    EXPECT_LT(alone->hits[i].score, 1);
    EXPECT_LE(*alone->hits[i].latent, *alone->hits[i == 0 ? 0 : i - 1].latent);
  }
  request.threshold = alone->hits[0].score;
  EXPECT_EQ(memory().Recall(request)->hits.size(), 1U);
  // Beside the lexical channel it is the cosine.
  request.lexical = true;
  request.threshold = 0;
  EXPECT_GT(*memory().Recall(request)->hits[0].latent, *alone->hits[0].latent);
}

TEST_F(RecallTest, AppliesFiltersBeforeRouting) {
  std::vector<RememberRequest> requests(30);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = Name("m", i);
    requests[i].text = Name("Meeting ", i, " was about the budget of the year.");
    requests[i].metadata["n"] = static_cast<std::int64_t>(i);
  }
  for (const auto& receipt : memory().RememberBatch(requests)) EXPECT_TRUE(receipt.ok());
  RecallRequest request;
  request.query = "the budget meeting";
  request.top_k = 2;
  request.filter = *ParseFilter(R"({"n":{"gte":28}})");
  const auto found = memory().Recall(request);
  ASSERT_TRUE(found.ok()) << found.status().message();
  // A filter after the top 2 would leave nothing of them.
  EXPECT_EQ(found->candidates, 2U);
  EXPECT_THAT(Recall(request), UnorderedElementsAre("m28", "m29"));
  request.lexical = false;
  EXPECT_THAT(Recall(request), UnorderedElementsAre("m28", "m29"));
}

TEST_F(RecallTest, IsSurerOfTheSameAmongFewerMemories) {
  std::vector<RememberRequest> requests(30);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = Name("m", i);
    requests[i].text = i == 7 ? "Ada works at the port." : Name("Meeting ", i, ": the budget.");
    requests[i].metadata["n"] = static_cast<std::int64_t>(i);
  }
  for (const auto& receipt : memory().RememberBatch(requests)) EXPECT_TRUE(receipt.ok());
  RecallRequest request;
  request.query = "Where does Ada work?";
  const Hit among_all = memory().Recall(request)->hits.at(0);
  request.filter = *ParseFilter(R"({"n":{"gte":6,"lte":8}})");
  const Hit among_few = memory().Recall(request)->hits.at(0);
  EXPECT_EQ(among_all.id, "m7");
  EXPECT_EQ(among_few.id, "m7");
  EXPECT_EQ(among_few.latent, among_all.latent);
  EXPECT_GT(among_few.score, among_all.score);
}

TEST_F(RecallTest, AnswersBeforeTheIndexIsLoadedIfAskedTo) {
  Remember("tea", "Green tea is brewed at eighty degrees.");
  Remember("ada", "Ada moved to Lisbon in May and works at the port.");
  Close();
  Open();
  RecallRequest request = Query("In which city does Ada work?");
  request.wait = false;
  Result<RecallResult> found = memory().Recall(request);
  ASSERT_TRUE(found.ok()) << found.status().message();
  // The first question starts the loading, so that it cannot know the index to be whole.
  EXPECT_FALSE(found->complete);
  ASSERT_FALSE(found->hits.empty()) << "the lexical channel does not wait";
  EXPECT_EQ(found->hits.front().id, "ada");
  while (!found->complete) {
    found = memory().Recall(request);
    ASSERT_TRUE(found.ok()) << found.status().message();
  }
  const auto strict = memory().Recall(Query("In which city does Ada work?"));
  ASSERT_TRUE(strict.ok());
  EXPECT_TRUE(strict->complete);
  ASSERT_EQ(found->hits.size(), strict->hits.size());
  for (std::size_t i = 0; i < found->hits.size(); ++i) {
    EXPECT_EQ(found->hits[i].id, strict->hits[i].id);
    EXPECT_EQ(found->hits[i].latent, strict->hits[i].latent);
  }
  // What comes after is seen as ever.
  Remember("bob", "Bob works in Porto.");
  ASSERT_TRUE(memory().Forget(ForgetIds({"ada"})).ok());
  EXPECT_THAT(Recall(request), Contains("bob"));
  EXPECT_THAT(Recall(request), Not(Contains("ada")));
}

TEST_F(RecallTest, FindsTheSameWithEveryKeyReadWhole) {
  Remember("tea", "Green tea is brewed at eighty degrees.");
  Remember("ada", "Ada moved to Lisbon in May and works at the port.");
  RecallRequest request = Query("Where is the port?");
  const auto picked = memory().Recall(request);
  request.exact = true;
  const auto whole = memory().Recall(request);
  ASSERT_TRUE(picked.ok() && whole.ok());
  ASSERT_EQ(picked->hits.size(), whole->hits.size());
  for (std::size_t i = 0; i < whole->hits.size(); ++i) {
    EXPECT_EQ(picked->hits[i].id, whole->hits[i].id);
    EXPECT_EQ(picked->hits[i].score, whole->hits[i].score);
  }
}

TEST_F(RecallTest, NeverCrossesSpaces) {
  RememberRequest request;
  request.text = "The vault code is 4711.";
  request.id = "mine";
  request.space = "ada";
  Remember(request);
  request.id = "yours";
  request.space = "bob";
  Remember(request);
  RecallRequest recall;
  recall.query = "vault code";
  recall.space = "ada";
  EXPECT_THAT(Recall(recall), ElementsAre("mine"));
  recall.space = "bob";
  EXPECT_THAT(Recall(recall), ElementsAre("yours"));
  EXPECT_THAT(Recall("vault code"), IsEmpty());
  recall.space = "eve";
  EXPECT_EQ(memory().Recall(recall).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(memory().Get("mine", "bob").status().code(), StatusCode::kNotFound);
}

TEST_F(RecallTest, KeepsToASessionAndATime) {
  RememberRequest request;
  request.id = "old";
  request.text = "Ada lives in Porto.";
  request.session = "s1";
  request.valid_to = clock().Now();
  Remember(request);
  request.id = "new";
  request.text = "Ada lives in Lisbon.";
  request.session = "s2";
  request.valid_from = clock().Now();
  request.valid_to = std::nullopt;
  Remember(request);
  RecallRequest recall;
  recall.query = "Where does Ada live?";
  recall.session = "s1";
  EXPECT_THAT(Recall(recall), ElementsAre("old"));
  recall.session = "";
  recall.as_of = clock().Now() + 24h;
  EXPECT_THAT(Recall(recall), ElementsAre("new"));
  recall.as_of = clock().Now() - 24h;
  EXPECT_THAT(Recall(recall), ElementsAre("old"));
}

TEST_F(RecallTest, ExplainsItsLayers) {
  Remember("a", "Ada moved to Lisbon in May.");
  RecallRequest request;
  request.query = "Where does Ada live?";
  request.explain = true;
  const auto found = memory().Recall(request);
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->hits.size(), 1U);
  ASSERT_FALSE(found->hits[0].layers.empty());
  for (std::size_t i = 1; i < found->hits[0].layers.size(); ++i) {
    EXPECT_GT(found->hits[0].layers[i].layer, found->hits[0].layers[i - 1].layer);
  }
}

TEST_F(RecallTest, LeavesOutWhatIsBelowTheThreshold) {
  Remember("a", "Ada moved to Lisbon in May.");
  RecallRequest request;
  request.query = "Where does Ada live?";
  const double score = memory().Recall(request)->hits.at(0).score;
  request.threshold = score;
  EXPECT_THAT(Recall(request), ElementsAre("a"));
  request.threshold = score + 1e-9;
  EXPECT_THAT(Recall(request), IsEmpty());
}

TEST_F(RecallTest, ReachesTheSecondFactInASecondHop) {
  Remember("ada", "Ada's sister is called Philippa Quennell.");
  Remember("philippa", "Philippa Quennell repairs lighthouses in Norway.");
  std::vector<std::string> noise;
  for (std::size_t i = 0; i < 20; ++i) noise.push_back(Name("Note ", i, ": a job like any other."));
  RememberMany("noise", noise);
  RecallRequest request;
  request.query = "What is the job of Ada's sister?";
  request.top_k = 10;
  request.latent = false;
  EXPECT_THAT(Recall(request), Not(Contains("philippa")));
  request.hops = 2;
  const auto found = memory().Recall(request);
  ASSERT_TRUE(found.ok()) << found.status().message();
  const auto bridge = std::find_if(found->hits.begin(), found->hits.end(),
                                   [](const Hit& hit) { return hit.id == "philippa"; });
  ASSERT_NE(bridge, found->hits.end());
  EXPECT_EQ(bridge->hop, 2U);
}

// What texts name by title: nothing else tells the three notes about work apart.
class TitledTest : public RecallTest {
 protected:
  void SetUp() override {
    RecallTest::SetUp();
    if (IsSkipped()) return;
    Titled("ada", "Ada Vrba", "She works beside her friend Philippa Quennell, a singer.");
    Titled("bo", "Bo Lind", "The work of a baker begins at night.");
    Titled("philippa", "Philippa Quennell", "The work of a singer begins at night.");
    request_.query = "Who works with Ada Vrba?";
    request_.top_k = 3;
    request_.latent = false;
  }
  void Titled(const std::string& id, const std::string& title, const std::string& text,
              const std::string& session = "") {
    RememberRequest note;
    note.id = id;
    note.session = session;
    note.title = title;
    note.text = text;
    Remember(note);
  }
  RecallRequest request_;
};

TEST_F(TitledTest, AMemoryThatAGoodHitNamesComesBeforeItsLike) {
  EXPECT_THAT(Recall(request_), ElementsAre("ada", "philippa", "bo"));
  ASSERT_TRUE(memory().Update(EditText("ada", "She works alone.")).ok());
  EXPECT_THAT(Recall(request_), ElementsAre("ada", "bo", "philippa"));
}

TEST_F(TitledTest, AMemoryThatOnlyATitleLeadsToCountsByItsWordsToo) {
  std::vector<RememberRequest> busy(110);  // More than the lexical channel proposes.
  for (std::size_t i = 0; i < busy.size(); ++i) {
    busy[i].id = Name("busy", i);
    busy[i].text = "Works, works and works.";
  }
  for (const auto& receipt : memory().RememberBatch(busy)) ASSERT_TRUE(receipt.ok());
  request_.top_k = 20;
  const auto found = memory().Recall(request_);
  ASSERT_TRUE(found.ok());
  const auto named = std::ranges::find(found->hits, "philippa", &Hit::id);
  ASSERT_NE(named, found->hits.end());
  EXPECT_GT(named->lexical.value_or(0), 0);
  EXPECT_LT(named->lexical.value_or(0), found->hits.back().lexical.value_or(0));
}

TEST_F(TitledTest, AMemoryWhoseTitleSharesANameWithAGoodHitComesBeforeItsLike) {
  Titled("alabama", "History of Alabama", "It became a part of the union.");
  Titled("mississippi", "History of Mississippi", "It became a part of the union.");
  Titled("mounds", "Pocahontas Mounds", "A place beside a road in Mississippi, made of earth.");
  request_.query = "When did the state of Pocahontas Mounds become a part of the union?";
  EXPECT_THAT(Recall(request_), ElementsAre("mounds", "mississippi", "alabama"));
  // One that says again what the hit says is no bridge.
  Titled("first", "Alabama roads", "A road of earth.");
  Titled("second", "Mississippi roads", "A road of earth.");
  RecallRequest both = request_;
  both.query = "When did the state of Pocahontas Mounds, on a road of earth, become a part?";
  both.top_k = 5;
  EXPECT_THAT(Recall(both), ElementsAre("mounds", "mississippi", "first", "alabama", "second"));
  ASSERT_TRUE(memory().Update(EditText("mounds", "A place beside a road, of earth.")).ok());
  EXPECT_THAT(Recall(request_), ElementsAre("mounds", "alabama", "mississippi"));
}

TEST_F(TitledTest, ATitleLeadsToNoMemoryThatIsFilteredOut) {
  Titled("mine", "Ada Vrba", "She works beside her friend Philippa Quennell.", "mine");
  request_.session = "mine";
  EXPECT_THAT(Recall(request_), ElementsAre("mine"));
}

// A chat of which one turn holds the question's words and the next one the answer; beside it as
// many other notes of the same few words as the answer.
class ChatTest : public MemoryTest {
 protected:
  void Chat(const std::string& session) {
    std::vector<RememberRequest> requests(12);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].id = Name("note", i);
      requests[i].text = "Fine, on Friday then.";
    }
    requests[4].id = "asks";
    requests[4].text = "Bob: When shall we repaint the kitchen?";
    requests[4].metadata["asks"] = true;
    requests[5].id = "answers";
    requests[4].session = requests[5].session = session;
    for (const auto& receipt : memory().RememberBatch(requests)) EXPECT_TRUE(receipt.ok());
  }
};

TEST_F(ChatTest, ATurnBesideAGoodOneComesBeforeItsLike) {
  Chat("chat-7");
  const auto ids = Recall(Query("When is the kitchen repainted?"));
  ASSERT_GE(ids.size(), 2U);
  EXPECT_EQ(ids[0], "asks");
  EXPECT_EQ(ids[1], "answers");
}

TEST_F(ChatTest, WithoutASessionNothingStandsBesideAnything) {
  Chat("");
  const auto ids = Recall(Query("When is the kitchen repainted?"));
  ASSERT_GE(ids.size(), 2U);
  EXPECT_EQ(ids[0], "asks");
  EXPECT_EQ(ids[1], "note0") << "of equals the first";
}

TEST_F(ChatTest, WhatIsFilteredOutIsNoNeighbour) {
  Chat("chat-7");
  RecallRequest request = Query("When is the kitchen repainted?");
  request.filter = *ParseFilter(R"({"NOT":[{"asks":true}]})");
  EXPECT_EQ(Recall(request).at(0), "note0");
}

TEST_F(RecallTest, GivesTheSameAnswerAfterReopening) {
  std::vector<std::string> facts;
  for (std::size_t i = 0; i < 12; ++i) facts.push_back(Name("Fact ", i, " concerns pears."));
  RememberMany("m", facts);
  RecallRequest request;
  request.query = "pears";
  request.lexical = false;
  const auto before = memory().Recall(request);
  Open();
  const auto after = memory().Recall(request);
  ASSERT_TRUE(before.ok() && after.ok());
  ASSERT_EQ(before->hits.size(), after->hits.size());
  for (std::size_t i = 0; i < before->hits.size(); ++i) {
    EXPECT_EQ(before->hits[i].id, after->hits[i].id);
    EXPECT_EQ(before->hits[i].latent, after->hits[i].latent);
  }
}

TEST_F(RecallTest, NamesWhatIsWrongWithARequest) {
  const auto code = [&](auto change) {
    RecallRequest request;
    request.query = "fine";
    change(request);
    return memory().Recall(request).status().code();
  };
  EXPECT_EQ(code([](auto& r) { r.query = " \n"; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.query = "a\xFF"; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.top_k = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.top_k = 1001; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.hops = 5; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.latent = r.lexical = false; }), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvasir
