// Verify, backup, restore.
#include <gmock/gmock.h>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

using ::testing::IsEmpty;
namespace fs = std::filesystem;

class CareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = OpenStore(path_);
    space_ = *store_->EnsureSpace("default");
    for (int i = 0; i < 10; ++i) {
      ASSERT_OK(store_->Commit(One(MakeWrite(Numbered("m", i), Numbered("text ", i)))));
    }
  }
  TempFolder folder_;
  std::string path_ = folder_ / "store";
  std::unique_ptr<Store> store_;
  SpaceId space_{};
};

TEST_F(CareTest, VerifyCountsWhatThereIs) {
  const auto report = store_->Verify();
  ASSERT_OK(report);
  EXPECT_THAT(report->problems, IsEmpty());
  EXPECT_EQ(report->memories, 10U);
  EXPECT_EQ(report->segments, 10U);
  EXPECT_EQ(report->commits, 12U) << "model, space, ten memories";
}

TEST_F(CareTest, VerifyFindsAFlippedByteInATableFile) {
  ASSERT_OK(store_->Erase(space_, std::vector<DocumentNumber>{9}));  // Flushes everything.
  store_.reset();
  int found = 0;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(path_ + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    const std::string copy = folder_ / Numbered("copy", static_cast<std::uint64_t>(files++));
    fs::copy(path_, copy, fs::copy_options::recursive);
    std::string flipped = ReadFile(entry.path());
    flipped[5] = static_cast<char>(flipped[5] ^ 1);
    std::ofstream(copy + "/db/" + entry.path().filename().string(), std::ios::binary) << flipped;
    const auto store = Store::Open(copy, TestOptions());
    found += !store.ok() || !Problems(**store).empty() ? 1 : 0;
  }
  EXPECT_GT(files, 5);
  EXPECT_EQ(found, files);
}

TEST_F(CareTest, ABackupRestoresToTheSameMemories) {
  const std::string backups = folder_ / "backups";
  ASSERT_OK(store_->Backup(backups));
  ASSERT_OK(store_->Commit(One(MakeWrite("later", "after the first backup"))));
  ASSERT_OK(store_->Backup(backups));
  const std::string restored = folder_ / "restored";
  ASSERT_OK(Store::Restore(backups, restored));
  const auto copy = OpenStore(restored);
  ASSERT_NE(copy, nullptr);
  EXPECT_OK(copy->Get(space_, "later"));
  EXPECT_EQ(copy->Get(space_, "m3")->record.text, "text 3");
  EXPECT_EQ(copy->Search(space_, "text", 100)->size(), 10U);
  EXPECT_THAT(Problems(*copy), IsEmpty());
  EXPECT_OK(copy->Commit(One(MakeWrite("new", "goes on"))));
}

TEST_F(CareTest, ARestoreNeverOverwrites) {
  ASSERT_OK(store_->Backup(folder_ / "backups"));
  EXPECT_EQ(Store::Restore(folder_ / "backups", path_).code(), StatusCode::kConflict);
  EXPECT_EQ(Store::Restore(folder_ / "nowhere", folder_ / "x").code(), StatusCode::kNotFound);
}

TEST_F(CareTest, ADamagedBackupIsNotRestored) {
  const std::string backups = folder_ / "backups";
  ASSERT_OK(store_->Backup(backups));
  for (const auto& entry : fs::recursive_directory_iterator(backups)) {
    if (entry.path().extension() != ".sst") continue;
    std::string bytes = ReadFile(entry.path());
    bytes[7] = static_cast<char>(bytes[7] ^ 1);
    std::ofstream(entry.path(), std::ios::binary) << bytes;
    break;
  }
  EXPECT_EQ(Store::Restore(backups, folder_ / "restored").code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace kvasir::storage
