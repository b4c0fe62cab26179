// What happens when files of a store are damaged, deleted, or cannot be written.
#include <gmock/gmock.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "storage/engine_hooks.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

std::vector<fs::path> FilesWith(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(ending)) files.push_back(entry.path());
  }
  return files;
}

void FlipByte(const fs::path& path, std::uint64_t at) {
  std::string bytes = ReadFile(path);
  bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
  std::ofstream(path, std::ios::binary) << bytes;
}

class LossTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto store = OpenStore(path_);
    ASSERT_OK(store->EnsureSpace("default"));
    for (int i = 0; i < 20; ++i) {
      ASSERT_OK(store->Commit(One(MakeWrite(Numbered("m", i), Numbered("text ", i)))));
    }
  }
  TempFolder folder_;
  std::string path_ = folder_ / "store";
};

TEST_F(LossTest, ADeletedLogIsRefusedAndSaysHowManyCommitsAreMissing) {
  for (const fs::path& log : FilesWith(path_ + "/db", ".log")) fs::remove(log);
  const auto opened = Store::Open(path_, TestOptions());
  EXPECT_EQ(opened.status().code(), StatusCode::kCorruption);
  EXPECT_THAT(opened.status().message(), HasSubstr("synced commits are missing"));
}

TEST_F(LossTest, AnAcceptedLossOpensAndNeverHandsOutOldNumbersAgain) {
  StoreOptions options = TestOptions();
  {
    // One opening moves the rows to table files, so that the space itself survives.
    const auto store = OpenStore(path_);
    for (int i = 20; i < 30; ++i) {
      ASSERT_OK(store->Commit(One(MakeWrite(Numbered("m", i), "text"))));
    }
  }
  for (const fs::path& log : FilesWith(path_ + "/db", ".log")) fs::remove(log);
  options.accept_loss = true;
  {
    const auto store = OpenStore(path_, options);
    const SpaceId space = *store->FindSpace("default");
    EXPECT_EQ(store->Spaces()[0].memories, 20U);
    EXPECT_EQ(*store->ReserveNumbers(space, 1), 30U);
    EXPECT_THAT(Problems(*store), IsEmpty());
  }
  EXPECT_NE(OpenStore(path_), nullptr) << "the loss is accepted once";
}

TEST_F(LossTest, AnyFlippedByteOfTheLogIsFoundOrHarmless) {
  const std::vector<fs::path> logs = FilesWith(path_ + "/db", ".log");
  const fs::path log = *std::max_element(
      logs.begin(), logs.end(),
      [](const fs::path& a, const fs::path& b) { return fs::file_size(a) < fs::file_size(b); });
  const std::string whole = ReadFile(log);
  int refused = 0;
  for (std::uint64_t at = 7; at < whole.size(); at += whole.size() / 40) {
    const std::string copy = folder_ / (Numbered("copy", at));
    fs::copy(path_, copy, fs::copy_options::recursive);
    FlipByte(fs::path(copy) / "db" / log.filename(), at);
    const auto opened = Store::Open(copy, TestOptions());
    if (!opened.ok()) {
      ++refused;
      EXPECT_EQ(opened.status().code(), StatusCode::kCorruption) << opened.status().message();
      continue;
    }
    EXPECT_EQ((*opened)->Spaces()[0].memories, 20U) << "byte " << at;
    EXPECT_THAT(Problems(**opened), IsEmpty());
  }
  EXPECT_GT(refused, 30);
}

TEST_F(LossTest, ATornSlotOfTheHighWaterMarkCostsNothing) {
  FlipByte(path_ + "/HIGHWATER", 10);
  const auto store = OpenStore(path_);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->Spaces()[0].memories, 20U);
}

TEST_F(LossTest, AMissingHighWaterMarkIsRefused) {
  fs::remove(path_ + "/HIGHWATER");
  EXPECT_EQ(Store::Open(path_, TestOptions()).status().code(), StatusCode::kCorruption);
}

TEST_F(LossTest, ADamagedIdentityIsRefused) {
  FlipByte(path_ + "/IDENTITY", 20);
  EXPECT_THAT(Store::Open(path_, TestOptions()).status().message(), HasSubstr("identity"));
}

TEST_F(LossTest, AStoreWithoutIdentityIsNotMadeAnew) {
  fs::remove(path_ + "/IDENTITY");
  EXPECT_EQ(Store::Open(path_, TestOptions()).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(LossTest, AFolderOfOtherFilesIsNotMadeAStore) {
  fs::create_directory(folder_ / "home");
  std::ofstream(folder_ / "home/letter.txt") << "dear";
  EXPECT_EQ(Store::Open(folder_ / "home", TestOptions()).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(LossTest, NothingIsCreatedWhereCreateIsFalse) {
  StoreOptions options = TestOptions();
  options.create = false;
  EXPECT_EQ(Store::Open(folder_ / "none", options).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ / "none"));
}

enum class Trouble { kNone, kSyncFails, kDiskIsFull };

// Fails the fsync of files, or every byte written to them, on demand.
class FailingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::atomic<Trouble>* trouble)
      : FSWritableFileOwnerWrapper(std::move(file)), trouble_(trouble) {}
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    if (*trouble_ == Trouble::kSyncFails) return rocksdb::IOStatus::IOError("the disk is gone");
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (*trouble_ == Trouble::kDiskIsFull) return rocksdb::IOStatus::NoSpace("no block is free");
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& check,
                           rocksdb::IODebugContext* debug) override {
    if (*trouble_ == Trouble::kDiskIsFull) return rocksdb::IOStatus::NoSpace("no block is free");
    return FSWritableFileOwnerWrapper::Append(data, options, check, debug);
  }

 private:
  std::atomic<Trouble>* trouble_;
};

class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FailingFileSystem(std::atomic<Trouble>* trouble)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), trouble_(trouble) {}
  const char* Name() const override { return "FailingFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    const auto status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<FailingFile>(std::move(*file), trouble_);
    return status;
  }

 private:
  std::atomic<Trouble>* trouble_;
};

StoreOptions WithFileSystem(std::shared_ptr<rocksdb::FileSystem> files) {
  StoreOptions options = TestOptions();
  options.hooks = std::make_shared<EngineHooks>();
  options.hooks->env = rocksdb::NewCompositeEnv(std::move(files));
  return options;
}

TEST_F(LossTest, AFailedSyncStopsAllWritesUntilTheStoreIsOpenedAgain) {
  std::atomic<Trouble> trouble = Trouble::kNone;
  {
    const auto store =
        OpenStore(path_, WithFileSystem(std::make_shared<FailingFileSystem>(&trouble)));
    trouble = Trouble::kSyncFails;
    EXPECT_FALSE(store->Commit(One(MakeWrite("lost", "text"))).ok());
    trouble = Trouble::kNone;
    const auto again = store->Commit(One(MakeWrite("later", "text")));
    EXPECT_EQ(again.status().code(), StatusCode::kUnavailable);
    EXPECT_THAT(again.status().message(), HasSubstr("opened again"));
    EXPECT_OK(store->Get(*store->FindSpace("default"), "m3"));  // Reads go on.
  }
  const auto store = OpenStore(path_);
  ASSERT_NE(store, nullptr);
  EXPECT_OK(store->Commit(One(MakeWrite("later", "text"))));
  EXPECT_THAT(Problems(*store), IsEmpty());
}

TEST_F(LossTest, ADiskThatFillsUpDuringACommitSaysNoSpaceAndLosesNothingBefore) {
  std::atomic<Trouble> trouble = Trouble::kNone;
  {
    const auto store =
        OpenStore(path_, WithFileSystem(std::make_shared<FailingFileSystem>(&trouble)));
    ASSERT_OK(store->Commit(One(MakeWrite("before", "text"))));
    trouble = Trouble::kDiskIsFull;
    const auto refused = store->Commit(One(MakeWrite("lost", "text")));
    EXPECT_EQ(refused.status().code(), StatusCode::kNoSpace) << refused.status().message();
    EXPECT_OK(store->Get(*store->FindSpace("default"), "before"));
    trouble = Trouble::kNone;
  }
  const auto store = OpenStore(path_);
  ASSERT_NE(store, nullptr);
  const SpaceId space = *store->FindSpace("default");
  EXPECT_OK(store->Get(space, "before"));
  EXPECT_EQ(store->Get(space, "lost").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Problems(*store), IsEmpty());
}

// Lets somebody else act once, in the moment before the database's first file is read.
class InterruptedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit InterruptedFileSystem(std::function<void()> interruption)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), interruption_(std::move(interruption)) {}
  const char* Name() const override { return "InterruptedFileSystem"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    if (name.find("MANIFEST") != std::string::npos) {
      if (const auto act = std::exchange(interruption_, nullptr)) act();
    }
    return FileSystemWrapper::NewSequentialFile(name, options, file, debug);
  }

 private:
  std::function<void()> interruption_;
};

TEST_F(LossTest, AReaderThatMeetsAWritersOpeningTriesAgain) {
  StoreOptions options = WithFileSystem(std::make_shared<InterruptedFileSystem>([this] {
    const auto writer = OpenStore(path_);
    ASSERT_OK(writer->Commit(One(MakeWrite("meanwhile", "text"))));
  }));
  options.read_only = true;
  const auto reader = OpenStore(path_, options);
  ASSERT_NE(reader, nullptr);
  EXPECT_OK(reader->Get(*reader->FindSpace("default"), "meanwhile"));
  EXPECT_EQ(reader->Spaces()[0].memories, 21U);
}

TEST_F(LossTest, AReaderOfADamagedStoreIsToldAtOnce) {
  for (const fs::path& log : FilesWith(path_ + "/db", ".log")) fs::remove(log);
  StoreOptions options = TestOptions();
  options.read_only = true;
  EXPECT_EQ(Store::Open(path_, options).status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace kvasir::storage
