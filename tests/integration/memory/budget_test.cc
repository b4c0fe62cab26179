// A store whose router index is larger than the memory that it may take.
#include <gmock/gmock.h>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BudgetTest : public MemoryTest {
 protected:
  static constexpr std::size_t kNotes = 160;

  void SetUp() override {
    MemoryTest::SetUp();
    if (IsSkipped()) return;
    const std::vector<std::string> who = {"Ada", "Bo", "Cy", "Dee", "Eli", "Fay", "Gus", "Hal"};
    const std::vector<std::string> what = {"moved to Lisbon", "bought a red bicycle",
                                           "paints old boats", "teaches at the school",
                                           "is afraid of dogs"};
    const std::vector<std::string> when = {"in May.", "last winter.", "on a Monday.",
                                           "as a child."};
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < kNotes; ++i) {
      texts.push_back(who[i % 8] + " " + what[i / 8 % 5] + " " + when[i / 40]);
    }
    RememberMany("note", texts);
    Recall("Who moved to Lisbon?");  // Loads the index.
    need_ = memory().GetStats()->index_bytes;
  }

  void OpenWith(std::uint64_t bytes) {
    OpenOptions options = Options();
    options.memory_bytes = bytes;
    Close();
    Open(options);
  }

  /// Ids and scores.
  std::vector<std::pair<std::string, double>> Hits(const std::string& question) {
    const auto found = memory().Recall(Query(question));
    EXPECT_TRUE(found.ok()) << found.status().message();
    std::vector<std::pair<std::string, double>> hits;
    if (!found.ok()) return hits;
    for (const Hit& hit : found->hits) hits.emplace_back(hit.id, hit.score);
    return hits;
  }

  std::uint64_t need_ = 0;  ///< Of the whole index.
};

const std::vector<std::string> kQuestions = {
    "Who moved to Lisbon?", "Which of them owns a bicycle?", "What does Gus do with boats?",
    "Who is a teacher?",    "Is Hal afraid of animals?",     "What happened in the winter?"};

TEST_F(BudgetTest, RecallsTheSameAndForgetsInHalfTheMemory) {
  std::vector<std::vector<std::pair<std::string, double>>> expected;
  for (const std::string& question : kQuestions) expected.push_back(Hits(question));

  // A quarter of the budget is the KV cache's.
  OpenWith(need_ / 2);
  for (std::size_t i = 0; i < kQuestions.size(); ++i) EXPECT_EQ(Hits(kQuestions[i]), expected[i]);
  for (std::size_t i = 0; i < kQuestions.size(); ++i) EXPECT_EQ(Hits(kQuestions[i]), expected[i]);
  const Stats stats = *memory().GetStats();
  EXPECT_LE(stats.index_bytes + stats.router_cache.used_bytes, need_ / 2);
  EXPECT_LE(stats.kv_cache.budget_bytes, need_ / 8);
  EXPECT_GT(stats.router_cache.hits, 0U);

  const std::string best = expected[0][0].first;
  ASSERT_TRUE(memory().Forget(ForgetIds({best})).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Recall(kQuestions[0]), Not(Contains(best)));
    OpenWith(need_ / 2);
  }
  Remember("new", "Ida moved to Lisbon yesterday.");
  EXPECT_THAT(Recall("When did Ida move to Lisbon?"), Contains("new"));
}

TEST_F(BudgetTest, ForgettingEmptiesTheCacheOfKeys) {
  OpenWith(need_ / 2);
  for (const std::string& question : kQuestions) Hits(question);
  EXPECT_GT(memory().GetStats()->router_cache.used_bytes, 0U);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kNotes; ++i) ids.push_back(Name("note", i));
  ASSERT_TRUE(memory().Forget(ForgetIds(ids)).ok());
  EXPECT_EQ(memory().GetStats()->router_cache.used_bytes, 0U);
}

TEST_F(BudgetTest, GivesUpKeysWhenWhatIsRememberedOutgrowsIt) {
  OpenWith((need_ + need_ / 5) * 4 / 3);
  Recall(kQuestions[0]);
  const std::uint64_t held = memory().GetStats()->index_bytes;
  EXPECT_GE(held, need_);
  RememberMany("more", std::vector<std::string>(60, "Ida moved to Lisbon yesterday."));
  EXPECT_LT(memory().GetStats()->index_bytes, held);
  EXPECT_EQ(Recall(kQuestions[0]).size(), 10U);
}

TEST_F(BudgetTest, SaysWhatIsNeededAndLosesNothingWhenThereIsFarTooLittle) {
  OpenWith(1024);
  Remember("new", "Ida moved to Lisbon yesterday.");
  const auto refused = memory().Recall(Query("Who moved to Lisbon?"));
  ASSERT_EQ(refused.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused.status().message(), HasSubstr("give at least 0.1 MiB (--memory)"));
  RecallRequest lexical = Query("When did Ida move to Lisbon?");
  lexical.latent = false;
  EXPECT_THAT(Recall(lexical), Contains("new"));
  OpenWith(0);
  EXPECT_THAT(Recall("When did Ida move to Lisbon?"), Contains("new"));
}

}  // namespace
}  // namespace kvasir
