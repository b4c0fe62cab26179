#include "agent/kv_pages.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/packer.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::agent {
namespace {

using storage::SegmentRequest;

constexpr std::size_t kMostBytes = 4096;

class KvPagesTest : public testing::Test {
 protected:
  KvPagesTest() {
    store = storage::OpenStore(folder / "store");
    space = *store->EnsureSpace("default");
    for (int i = 0; i < 8; ++i) {
      Commit(storage::MakeWrite(storage::Numbered("m", static_cast<std::uint64_t>(i)),
                                "one line\nanother line"));
    }
    pages = std::make_unique<KvPages>(*store, kMostBytes, 8 * kMostBytes);
  }
  storage::Generation Commit(storage::DocumentWrite write) {
    const auto receipt = store->Commit(storage::One(std::move(write)));
    EXPECT_TRUE(receipt.ok()) << receipt.status().message();
    return receipt->documents[0].generation;
  }
  SegmentRequest Of(storage::DocumentNumber document, std::uint32_t segment = 0) {
    const auto stored = store->GetByNumber(space, document);
    return {{space, document, segment}, stored.ok() ? stored->generation : 1};
  }
  Status Read(const SegmentRequest& request) {
    const auto records = pages->Read({&request, 1});
    return records[0].status();
  }

  storage::TempFolder folder;
  std::unique_ptr<storage::Store> store;
  storage::SpaceId space{};
  std::unique_ptr<KvPages> pages;
};

TEST_F(KvPagesTest, ReadsRecordsAsTheyLieOnDisk) {
  const SegmentRequest requests[] = {Of(3, 1), Of(5, 0)};
  const auto records = pages->Read(requests);
  ASSERT_TRUE(records[0].ok()) << records[0].status().message();
  EXPECT_EQ(records[0]->view().key(), requests[0].key);
  EXPECT_EQ(records[1]->view().key(), requests[1].key);
  // All codes of the test's records are 2, the scales 2 in the first and 3 in the second layer.
  LayerMemory memory;
  EXPECT_TRUE(*records[0]->Unpack(3, &memory));
  EXPECT_EQ(memory.keys, std::vector<float>(24, 4.0F));
  EXPECT_TRUE(*records[0]->Unpack(7, &memory));
  EXPECT_EQ(memory.values, std::vector<float>(24, 6.0F));
  EXPECT_FALSE(*records[0]->Unpack(5, &memory));
  EXPECT_EQ(pages->Stats().used_bytes,
            records[0]->view().bytes().size() + records[1]->view().bytes().size());
}

TEST_F(KvPagesTest, AnEditIsNotAnsweredWithThePast) {
  const SegmentRequest before = Of(2);
  ASSERT_TRUE(Read(before).ok());
  auto edit = storage::MakeWrite("m2", "a new line");
  edit.mode = storage::WriteMode::kNewVersion;
  const storage::Generation now = Commit(std::move(edit));
  const SegmentRequest after{before.key, now};
  const auto records = pages->Read({&after, 1});
  ASSERT_TRUE(records[0].ok());
  EXPECT_EQ(records[0]->view().generation(), now);
  EXPECT_EQ(Read(before).code(), StatusCode::kNotFound);
}

TEST_F(KvPagesTest, WhatIsForgottenIsGone) {
  const SegmentRequest request = Of(4);
  ASSERT_TRUE(Read(request).ok());
  ASSERT_TRUE(store->Erase(space, std::vector<storage::DocumentNumber>{4}).ok());
  pages->Drop(space, 4);
  EXPECT_EQ(Read(request).code(), StatusCode::kNotFound);
  ASSERT_TRUE(Read(Of(5)).ok());
  pages->DropSpace(space);
  EXPECT_EQ(pages->Stats().pages, 0U);
}

TEST_F(KvPagesTest, WhatWasPrefetchedIsThere) {
  const SegmentRequest request = Of(6);
  pages->Prefetch({&request, 1});
  while (pages->Stats().prefetches == 0) std::this_thread::yield();
  EXPECT_TRUE(Read(request).ok());
  EXPECT_EQ(pages->Stats().misses, 0U);
}

TEST_F(KvPagesTest, KeepsToItsBudget) {
  pages->SetBudget(kMostBytes);
  for (storage::DocumentNumber document = 0; document < 8; ++document) {
    EXPECT_TRUE(Read(Of(document)).ok());
    EXPECT_LE(pages->Stats().used_bytes, kMostBytes);
  }
}

}  // namespace
}  // namespace kvasir::agent
