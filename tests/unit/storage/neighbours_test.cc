// Who stands beside a document: in its session, else under its title.
#include <gmock/gmock.h>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

constexpr auto kNobody = std::nullopt;

class NeighboursTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = OpenStore(folder_ / "store");
    space_ = *store_->EnsureSpace("default");
  }
  void Write(const std::string& id, const std::string& session, const std::string& title,
             WriteMode mode = WriteMode::kCreate, std::size_t bytes = 10) {
    DocumentWrite write = MakeWrite(id, std::string(bytes, 'x'));
    write.record.session = session;
    write.record.title = title;
    write.mode = mode;
    ASSERT_OK(store_->Commit(One(std::move(write))));
  }
  using Pair = std::pair<std::optional<DocumentNumber>, std::optional<DocumentNumber>>;
  Pair Beside(DocumentNumber number) const {
    const auto neighbours = store_->Beside(space_, std::vector{number});
    EXPECT_OK(neighbours);
    return {neighbours->at(0).before, neighbours->at(0).after};
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
  SpaceId space_{};
};

TEST_F(NeighboursTest, AreOfOneSessionAlsoWhenSeveralTalkAtATime) {
  for (int i = 0; i < 3; ++i) {
    Write(Numbered("a", i), "chat-1", i == 1 ? "a title" : "");
    Write(Numbered("b", i), "chat-2", "a title");
  }
  EXPECT_EQ(Beside(0), Pair(kNobody, 2));
  EXPECT_EQ(Beside(2), Pair(0, 4));
  EXPECT_EQ(Beside(4), Pair(2, kNobody));
  EXPECT_EQ(Beside(3), Pair(1, 5));
}

TEST_F(NeighboursTest, AreOfOneTitleOutsideOfSessions) {
  Write("a", "", "The Tagus");
  Write("b", "", "The Tagus");
  Write("c", "", "the tagus");
  Write("d", "", "");
  Write("e", "", "");
  Write("f", "The Tagus", "");
  EXPECT_EQ(Beside(0), Pair(kNobody, 1));
  EXPECT_EQ(Beside(2), Pair(kNobody, kNobody)) << "another title";
  EXPECT_EQ(Beside(3), Pair(kNobody, kNobody)) << "neither session nor title";
  EXPECT_EQ(Beside(5), Pair(kNobody, kNobody)) << "a session of that name is no title";
  EXPECT_EQ(Beside(99), Pair(kNobody, kNobody));
}

TEST_F(NeighboursTest, AreNoLongPiecesOfOnePage) {
  // A token a byte.
  Write("a", "", "The Tagus", WriteMode::kCreate, kTurnTokens);
  Write("b", "", "The Tagus", WriteMode::kCreate, kTurnTokens + 1);
  Write("c", "", "The Tagus", WriteMode::kCreate, kTurnTokens);
  EXPECT_EQ(Beside(0), Pair(kNobody, 2));
  EXPECT_EQ(Beside(1), Pair(kNobody, kNobody));
  Write("d", "", "The Tagus", WriteMode::kCreate, 1000);
  Write("e", "", "The Tagus");
  EXPECT_EQ(Beside(2), Pair(0, 4)) << "also while they come";
  Write("f", "chat", "", WriteMode::kCreate, 1000);
  Write("g", "chat", "", WriteMode::kCreate, 1000);
  EXPECT_EQ(Beside(5), Pair(kNobody, 6)) << "in a session they are";
}

TEST_F(NeighboursTest, FollowEditsErasureAndReopening) {
  for (int i = 0; i < 4; ++i) Write(Numbered("m", i), "chat", "");
  EXPECT_EQ(Beside(1), Pair(0, 2));
  Write("m2", "elsewhere", "", WriteMode::kNewVersion);
  EXPECT_EQ(Beside(1), Pair(0, 3));
  ASSERT_OK(store_->Erase(space_, std::vector<DocumentNumber>{0}, {.defer = true, .call = {}}));
  EXPECT_EQ(Beside(1), Pair(kNobody, 3));
  store_.reset();
  store_ = OpenStore(folder_ / "store");
  EXPECT_EQ(Beside(1), Pair(kNobody, 3));
}

TEST_F(NeighboursTest, AreNotLookedForFurtherThan32Numbers) {
  Write("first", "chat", "");
  for (int i = 0; i < 31; ++i) Write(Numbered("other", i), "", "");
  Write("near", "chat", "");
  for (int i = 31; i < 62; ++i) Write(Numbered("other", i), "", "");
  Write("near too", "chat", "");
  for (int i = 62; i < 94; ++i) Write(Numbered("other", i), "", "");
  Write("far", "chat", "");
  EXPECT_EQ(Beside(32), Pair(0, 64));
  EXPECT_EQ(Beside(64), Pair(32, kNobody));
  EXPECT_EQ(Beside(97), Pair(kNobody, kNobody));
}

}  // namespace
}  // namespace kvasir::storage
