// Writes with an idempotency key: done once, answered as the first time, forgotten with the memory.
#include "storage/once.h"

#include <gmock/gmock.h>

#include "storage/keyed_hash.h"
#include "storage/store_identity.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

using ::testing::IsEmpty;

class OnceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.clock = &clock_;
    Reopen();
    space_ = *store_->EnsureSpace("default");
  }
  void Reopen() {
    store_.reset();
    store_ = OpenStore(Path(), options_);
    ASSERT_NE(store_, nullptr);
  }
  std::string Path() const { return folder_ / "store"; }

  static DocumentWrite Keyed(const std::string& id, const OnceKey& once) {
    DocumentWrite write = MakeWrite(id, "text of " + id);
    write.once = once;
    return write;
  }
  bool IsKept(const OnceKey& once) {
    const auto found = store_->FindOnce(space_, once);
    EXPECT_OK(found);
    return found.ok() && found->has_value();
  }

  TempFolder folder_;
  TestClock clock_;
  StoreOptions options_ = TestOptions();
  std::unique_ptr<Store> store_;
  SpaceId space_{};
  const OnceKey once_{.key = "key", .request = "request"};
};

TEST_F(OnceTest, GivesTheReceiptOfTheFirstWriteAlsoAfterReopening) {
  EXPECT_FALSE(IsKept(once_));
  const auto receipt = store_->Commit(One(Keyed("a", once_)));
  ASSERT_OK(receipt);
  Reopen();
  const auto found = store_->FindOnce(space_, once_);
  ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->id, "a");
  EXPECT_EQ((*found)->number, receipt->documents[0].number);
  EXPECT_EQ((*found)->version, 1U);
  EXPECT_EQ((*found)->outcome, RememberOutcome::kCreated);
  EXPECT_EQ((*found)->content_hash, receipt->documents[0].content_hash);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, RefusesTheKeyForAnotherRequest) {
  ASSERT_OK(store_->Commit(One(Keyed("a", once_))));
  EXPECT_EQ(store_->FindOnce(space_, {"key", "another"}).status().code(), StatusCode::kKeyReused);
  EXPECT_FALSE(IsKept({"another", "request"}));
}

TEST_F(OnceTest, WritesOneOfTwoCommitsWithTheSameKey) {
  ASSERT_OK(store_->Commit(One(Keyed("a", once_))));
  EXPECT_EQ(store_->Commit(One(Keyed("b", once_))).status().code(), StatusCode::kConflict);
  std::vector<DocumentWrite> twice = One(Keyed("c", {"other", "r"}));
  twice.push_back(Keyed("d", {"other", "r"}));
  EXPECT_EQ(store_->Commit(std::move(twice)).status().code(), StatusCode::kConflict);
  for (const char* id : {"b", "c", "d"}) EXPECT_FALSE(store_->Get(space_, id).ok()) << id;
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, KeepsAKeyWhoseRequestChangedNothing) {
  const auto receipt = store_->Commit(One(MakeWrite("a", "text of a")));
  ASSERT_OK(receipt);
  const RememberReceipt unchanged{
      .id = "a", .number = receipt->documents[0].number, .outcome = RememberOutcome::kUnchanged};
  ASSERT_OK(store_->KeepOnce(space_, once_, unchanged));
  EXPECT_TRUE(IsKept(once_));
  EXPECT_EQ(store_->KeepOnce(space_, once_, unchanged).code(), StatusCode::kConflict);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, ForgetsTheKeyWithItsMemory) {
  const auto receipt = store_->Commit(One(Keyed("a", once_)));
  ASSERT_OK(store_->Commit(One(Keyed("b", {"other", "request"}))));
  ASSERT_OK(store_->Erase(space_, std::vector{receipt->documents[0].number}));
  EXPECT_FALSE(IsKept(once_));
  EXPECT_TRUE(IsKept({"other", "request"}));
  EXPECT_THAT(Problems(*store_), IsEmpty());
  ASSERT_OK(store_->Commit(One(Keyed("a", once_))));
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, LeavesNoByteOfTheKeyBehind) {
  const auto receipt = store_->Commit(One(Keyed("a", once_)));
  const StoreIdentity identity = *StoreIdentity::Decode(ReadFile(Path() + "/IDENTITY"));
  const auto is_anywhere = [this](const std::string& bytes) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path())) {
      if (entry.is_regular_file() && ReadFile(entry.path()).find(bytes) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  const std::string key_hash = SipHash128(identity.hash_key, once_.key);
  const std::string request_hash = SipHash128(identity.hash_key, once_.request);
  EXPECT_TRUE(is_anywhere(key_hash));
  EXPECT_TRUE(is_anywhere(request_hash));
  ASSERT_OK(store_->Erase(space_, std::vector{receipt->documents[0].number}));
  EXPECT_FALSE(is_anywhere(key_hash));
  EXPECT_FALSE(is_anywhere(request_hash));
}

TEST_F(OnceTest, GoesWithItsSpaceAndStaysInOthers) {
  const SpaceId other = *store_->EnsureSpace("other");
  ASSERT_OK(store_->Commit(One(Keyed("a", once_))));
  DocumentWrite elsewhere = Keyed("a", once_);
  elsewhere.record.space = "other";
  ASSERT_OK(store_->Commit(One(elsewhere)));
  ASSERT_OK(store_->EraseSpace(space_));
  EXPECT_TRUE(store_->FindOnce(other, once_)->has_value());
  space_ = *store_->EnsureSpace("default");
  EXPECT_FALSE(IsKept(once_));
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, IsFreeAgainWhenItsMemoryHasExpired) {
  DocumentWrite write = Keyed("a", once_);
  write.record.expires_at = clock_.now + std::chrono::hours(1);
  ASSERT_OK(store_->Commit(One(write)));
  EXPECT_TRUE(IsKept(once_));
  clock_.now += std::chrono::hours(2);
  EXPECT_FALSE(IsKept(once_));
  ASSERT_OK(store_->Commit(One(Keyed("b", once_))));
  EXPECT_TRUE(IsKept(once_));
  ASSERT_OK(store_->PurgeExpired());
  EXPECT_TRUE(IsKept(once_));
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(OnceTest, TakesKeysOf1To255Bytes) {
  EXPECT_EQ(store_->FindOnce(space_, {"", "r"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->Commit(One(Keyed("a", {std::string(256, 'k'), "r"}))).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_OK(store_->Commit(One(Keyed("a", {std::string(255, 'k'), "r"}))));
}

}  // namespace
}  // namespace kvasir::storage
