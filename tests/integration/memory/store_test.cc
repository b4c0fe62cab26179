#include <gmock/gmock.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): setenv is POSIX
#include <unistd.h>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using StoreTest = MemoryTest;

TEST_F(StoreTest, SaysWhichModelItNeedsAndReencodesForAnother) {
  Remember("a", "Ada moved to Lisbon in May.");
  Remember("b", "The garden needs water.");
  const std::string first = memory().GetStats()->fingerprint;
  OpenOptions other = Options();
  other.adapter = OtherAdapter();
  Open(other);
  const auto refused = memory().Recall(Query("Where does Ada live?"));
  EXPECT_EQ(refused.status().code(), StatusCode::kConflict);
  EXPECT_THAT(refused.status().message(), HasSubstr(first));
  RememberRequest request;
  request.text = "Not by this model.";
  EXPECT_EQ(memory().Remember(request).status().code(), StatusCode::kConflict);
  EXPECT_EQ(memory().List({})->memories.size(), 2U);

  const auto encoded = memory().Reencode();
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(*encoded, 2U);
  EXPECT_EQ(*memory().Reencode(), 0U);
  EXPECT_NE(memory().GetStats()->fingerprint, first);
  RecallRequest latent;
  latent.query = "Where does Ada live?";
  latent.lexical = false;
  EXPECT_EQ(Recall(latent).size(), 2U);
  EXPECT_EQ(memory().Get("a")->version, 1U);
  EXPECT_TRUE(memory().Verify()->problems.empty());
}

TEST_F(StoreTest, FinishesAReencodeThatWasStopped) {
  RememberMany("m", std::vector<std::string>(10, "A note."));
  OpenOptions other = Options();
  other.adapter = OtherAdapter();
  Open(other);
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  options.progress = [&](const Progress& progress) {
    if (progress.done == 4) stop.request_stop();
  };
  EXPECT_EQ(memory().Reencode(options).status().code(), StatusCode::kCancelled);
  Open(other);
  EXPECT_EQ(*memory().Reencode(), 6U);
}

TEST_F(StoreTest, PagesThroughItsMemoriesByCursor) {
  RememberMany("m", std::vector<std::string>(5, "A note."));
  ListRequest request;
  request.limit = 2;
  std::vector<std::string> ids;
  do {
    const auto page = memory().List(request);
    ASSERT_TRUE(page.ok()) << page.status().message();
    for (const MemoryRecord& record : page->memories) ids.push_back(record.id);
    request.cursor = page->next_cursor;
  } while (!request.cursor.empty());
  EXPECT_THAT(ids, ElementsAre("m0", "m1", "m2", "m3", "m4"));
  request.cursor = "nonsense";
  EXPECT_EQ(memory().List(request).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(StoreTest, ComesBackFromItsBackup) {
  Remember("a", "Ada moved to Lisbon in May.");
  const std::string backup = (folder() / "backup").string();
  ASSERT_TRUE(memory().Backup(backup).ok());
  Remember("b", "After the backup.");
  Close();
  std::filesystem::remove_all(folder() / "store");
  ASSERT_TRUE(RestoreBackup(backup, (folder() / "store").string()).ok());
  Open();
  EXPECT_THAT(Recall("Where does Ada live?"), ElementsAre("a"));
}

TEST_F(StoreTest, CountsWhatItHolds) {
  RememberRequest request;
  request.text = "Ada moved to Lisbon in May.";
  request.session = "s";
  Remember(request);
  Recall("warm the index up");
  const auto stats = memory().GetStats();
  ASSERT_TRUE(stats.ok());
  ASSERT_EQ(stats->spaces.size(), 1U);
  EXPECT_EQ(stats->spaces[0].memories, 1U);
  EXPECT_EQ(stats->spaces[0].segments, 1U);
  EXPECT_GT(stats->disk_bytes, 0U);
  EXPECT_GT(stats->index_bytes, 0U);
  EXPECT_EQ(stats->fingerprint.size(), 32U);
  EXPECT_THAT(stats->model, HasSubstr("SmolLM2"));
  const auto sessions = memory().Sessions();
  ASSERT_TRUE(sessions.ok());
  ASSERT_EQ(sessions->size(), 1U);
  EXPECT_EQ((*sessions)[0].name, "s");
}

TEST_F(StoreTest, KeepsBf16WhenAsked) {
  OpenOptions options = Options();
  options.quantiser = Quantiser::kBf16;
  Open(options);
  Remember("a", "Ada moved to Lisbon in May.");
  EXPECT_THAT(Recall("Where does Ada live?"), ElementsAre("a"));
  Open();
  Remember("b", "The garden needs water.");
  RecallRequest latent;
  latent.query = "Where does Ada live?";
  latent.lexical = false;
  EXPECT_EQ(Recall(latent).size(), 2U);
}

TEST_F(StoreTest, IsHeldByOneProcessAtATime) {
  const auto second = Memory::Open((folder() / "store").string(), Options());
  EXPECT_EQ(second.status().code(), StatusCode::kConflict);
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(StoreTest, LeavesNothingBehindInMemory) {
  const std::filesystem::path temporary = folder() / "tmp";
  std::filesystem::create_directory(temporary);
  ASSERT_EQ(::setenv("TMPDIR", temporary.c_str(), 1), 0);
  {
    const auto opened = Memory::InMemory(Options());
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    RememberRequest request;
    request.text = "For a moment only.";
    EXPECT_TRUE((*opened)->Remember(request).ok());
    EXPECT_EQ((*opened)->Recall(Query("moment"))->hits.size(), 1U);
    EXPECT_FALSE(std::filesystem::is_empty(temporary));
  }
  ::unsetenv("TMPDIR");
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST(Open, SaysWhereAModelIsMissing) {
  OpenOptions options;
  options.model = "/no/such/model.gguf";
  const auto opened = Memory::InMemory(options);
  EXPECT_EQ(opened.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(opened.status().message(), HasSubstr("/no/such/model.gguf"));
}

TEST(Open, MakesNoStoreWhenTheModelIsMissing) {
  const auto folder = sdk::TemporaryFolder::Make();
  ASSERT_TRUE(folder.ok());
  OpenOptions options;
  options.model = "/no/such/model.gguf";
  EXPECT_FALSE(Memory::Open((folder->path() / "store").string(), options).ok());
  EXPECT_FALSE(std::filesystem::exists(folder->path() / "store"));
}

TEST(Open, WithoutCreateWantsAStore) {
  const auto folder = sdk::TemporaryFolder::Make();
  ASSERT_TRUE(folder.ok());
  OpenOptions options;
  options.load_model = false;
  options.create = false;
  EXPECT_EQ(Memory::Open((folder->path() / "store").string(), options).status().code(),
            StatusCode::kNotFound);
}

TEST(Version, IsThatOfTheBuild) {
  EXPECT_THAT(std::string(Version()), ::testing::MatchesRegex("[0-9]+.[0-9]+.[0-9]+"));
}

}  // namespace
}  // namespace kvasir
