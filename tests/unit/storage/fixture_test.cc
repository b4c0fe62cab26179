// A store of every format version that was ever released opens for ever.
#include "tests/unit/storage/fixture.h"

#include <gmock/gmock.h>

#include "tests/support/source_dir.h"

namespace kvasir::storage {
namespace {

TEST(Fixture, AStoreOfFormatVersion1Opens) {
  TempFolder folder;
  std::filesystem::copy(test::SourceDir() / "tests/fixtures/store/v1", folder / "store",
                        std::filesystem::copy_options::recursive);
  const auto store = OpenStore(folder / "store");
  ASSERT_NE(store, nullptr);
  const SpaceId space = *store->FindSpace("default");
  const auto full = store->Get(space, "full");
  ASSERT_OK(full);
  EXPECT_EQ(full->record.text, "Ada moved to Lisbon.\nThe Tagus runs there.");
  EXPECT_EQ(full->record.session, "chat-7");
  EXPECT_EQ(full->record.messages.size(), 1U);
  EXPECT_EQ(std::get<std::int64_t>(full->record.metadata.at("n")), 5);
  EXPECT_EQ(store->History(space, "edited")->size(), 2U);
  EXPECT_EQ(store->Get(space, "erased").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store->Search(space, "tagus", 5)->size(), 1U);
  EXPECT_EQ(store->ScanRouter(space, [](const SegmentView&) { return true; })->rows, 3U);
  EXPECT_THAT(Problems(*store), ::testing::IsEmpty());
  EXPECT_OK(store->Commit(One(MakeWrite("new", "still writable"))));
}

}  // namespace
}  // namespace kvasir::storage
