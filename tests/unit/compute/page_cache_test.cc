#include "compute/paging/page_cache.h"

#include <gtest/gtest.h>

#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/compute/page_cache_fixture.h"

namespace kvasir::compute {
namespace {

constexpr std::size_t kPage = TestStore::kMostBytes;

// A store of documents 0 to 99 of space 1, one page each, all of generation 1.
class PageCacheTest : public testing::Test {
 protected:
  PageCacheTest() {
    for (std::uint64_t document = 0; document < 100; ++document) store.Put(Of(document).key, 1);
  }
  static PageRequest Of(std::uint64_t document, std::uint64_t generation = 1) {
    return {{1, document, 0}, generation};
  }
  static std::vector<PageRequest> Of(std::initializer_list<std::uint64_t> documents) {
    std::vector<PageRequest> requests;
    for (const std::uint64_t document : documents) requests.push_back(Of(document));
    return requests;
  }
  Status Ask(const PageRequest& request, PageCache* of) const {
    const auto pins = of->Read({&request, 1});
    EXPECT_TRUE(!pins[0].ok() || IsOf(**pins[0], request));
    return pins[0].status();
  }
  Status Ask(const PageRequest& request) { return Ask(request, &cache); }
  std::size_t Reads() { return store.reads().size(); }

  TierMemory memory;
  TestStore store{&memory};
  PageCache cache{&store, 10 * kPage};
};

TEST_F(PageCacheTest, ReadsAPageOnceAndAllThatIsMissingTogether) {
  const auto requests = Of({3, 1, 2});
  for (int round = 0; round < 2; ++round) {
    const auto pins = cache.Read(requests);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(IsOf(**pins[i], requests[i]));
  }
  ASSERT_EQ(Reads(), 1U);
  EXPECT_EQ(store.reads()[0].size(), 3U);
  EXPECT_EQ(cache.Stats().hits, 3U);
  EXPECT_EQ(cache.Stats().misses, 3U);
}

TEST_F(PageCacheTest, TwoWhoWantTheSamePageShareItsRead) {
  store.HoldUp();
  auto first = cache.Fetch(Of({5}));
  store.AwaitRead();
  auto second = cache.Fetch(Of({5}));
  store.GoOn();
  EXPECT_TRUE(std::move(first).Wait()[0].ok());
  EXPECT_TRUE(std::move(second).Wait()[0].ok());
  EXPECT_EQ(Reads(), 1U);
}

TEST_F(PageCacheTest, AnswersForItsGenerationOnly) {
  ASSERT_TRUE(Ask(Of(7, 1)).ok());
  store.Put(Of(7).key, 2);
  EXPECT_TRUE(Ask(Of(7, 2)).ok());
  EXPECT_EQ(Ask(Of(7, 1)).code(), StatusCode::kNotFound);
  EXPECT_EQ(cache.Stats().pages, 1U);
}

TEST_F(PageCacheTest, WhatIsDroppedWhileItIsReadDoesNotComeIn) {
  store.HoldUp();
  auto fetching = cache.Fetch(Of({4}));
  store.AwaitRead();
  cache.Drop(1, 4);
  EXPECT_EQ(std::move(fetching).Wait()[0].status().code(), StatusCode::kNotFound);
  store.GoOn();
  AwaitQuiet(cache, 0);
  EXPECT_EQ(cache.Stats().used_bytes, 0U);
  EXPECT_EQ(memory.live(), 0U);
}

TEST_F(PageCacheTest, WhoHoldsADroppedPageKeepsItAndItsBytesCount) {
  auto pins = cache.Read(Of({4, 5}));
  cache.DropAll();
  EXPECT_TRUE(IsOf(**pins[0], Of(4)));
  EXPECT_EQ(cache.Stats().used_bytes, 2 * kPage);
  pins.clear();
  EXPECT_EQ(cache.Stats().used_bytes, 0U);
  EXPECT_EQ(memory.live(), 0U);
}

TEST_F(PageCacheTest, RefusesAtOnceWhenEverythingIsPinned) {
  const auto held = cache.Read(Of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(Ask(Of(10)).code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Ask(Of(9)).ok());
  EXPECT_EQ(cache.Stats().refused, 1U);
  EXPECT_EQ(cache.Stats().misses, 11U);  // Ten came in, one was refused.
  EXPECT_EQ(memory.TakeMost(), 10 * kPage);
}

TEST_F(PageCacheTest, CancelledWhileQueuedItIsNeverRead) {
  store.HoldUp();
  auto first = cache.Fetch(Of({0}));
  store.AwaitRead();
  { const auto cancelled = cache.Fetch(Of({1, 2})); }
  EXPECT_EQ(cache.Stats().used_bytes, kPage);
  store.GoOn();
  EXPECT_TRUE(std::move(first).Wait()[0].ok());
  EXPECT_EQ(Reads(), 1U);
}

TEST_F(PageCacheTest, CancelledWhileReadItLeavesNothing) {
  store.HoldUp();
  std::stop_source stop;
  auto fetching = cache.Fetch(Of({1}));
  store.AwaitRead();
  stop.request_stop();
  EXPECT_EQ(std::move(fetching).Wait(stop.get_token())[0].status().code(), StatusCode::kCancelled);
  store.GoOn();
  AwaitQuiet(cache, 0);
  EXPECT_EQ(cache.Stats().used_bytes, 0U);
  EXPECT_EQ(memory.live(), 0U);
}

TEST_F(PageCacheTest, WhatOneCancelsTheOtherStillGets) {
  store.HoldUp();
  auto kept = cache.Fetch(Of({1}));
  store.AwaitRead();
  { const auto cancelled = cache.Fetch(Of({1})); }
  store.GoOn();
  EXPECT_TRUE(std::move(kept).Wait()[0].ok());
}

TEST_F(PageCacheTest, DemandGoesBeforePrefetch) {
  cache.SetBudget(100 * kPage);
  store.HoldUp();
  auto first = cache.Fetch(Of({0}));
  store.AwaitRead();
  cache.Prefetch(Of({1, 2, 3}));
  auto second = cache.Fetch(Of({3, 4}));
  store.GoOn();
  EXPECT_TRUE(std::move(first).Wait()[0].ok());
  EXPECT_TRUE(std::move(second).Wait()[0].ok());
  while (cache.Stats().prefetches < 2) std::this_thread::yield();
  const auto reads = store.reads();
  ASSERT_EQ(reads.size(), 3U);
  EXPECT_EQ(reads[1], Of({3, 4}));
  EXPECT_EQ(reads[2], Of({1, 2}));
  EXPECT_TRUE(Ask(Of(1)).ok());
  EXPECT_EQ(cache.Stats().prefetches_used, 1U);  // 3 was asked for before it was read.
  cache.DropAll();
  EXPECT_EQ(cache.Stats().prefetches_wasted, 1U);
}

TEST_F(PageCacheTest, GuessesTakeAnEighthAtMost) {
  cache.SetBudget(16 * kPage);
  cache.Prefetch(Of({0, 1, 2, 3, 4, 5}));
  while (cache.Stats().prefetches < 2) std::this_thread::yield();
  AwaitQuiet(cache, 0);
  EXPECT_EQ(cache.Stats().pages, 2U);
}

TEST_F(PageCacheTest, ASmallerBudgetHoldsAtOnceSaveForPins) {
  auto held = cache.Read(Of({0, 1, 2}));
  ASSERT_TRUE(Ask(Of(3)).ok());
  cache.SetBudget(kPage);
  EXPECT_EQ(cache.Stats().used_bytes, 3 * kPage);
  held.clear();
  EXPECT_EQ(cache.Stats().used_bytes, kPage);
  EXPECT_EQ(memory.live(), kPage);
}

TEST_F(PageCacheTest, APageLargerThanItsSourceSaidIsRefused) {
  store.Put(Of(0).key, 1, kPage + 1);
  EXPECT_EQ(Ask(Of(0)).code(), StatusCode::kInternal);
  EXPECT_EQ(cache.Stats().used_bytes, 0U);
}

TEST_F(PageCacheTest, OneSweepPushesNothingOutThatIsUsed) {
  for (int round = 0; round < 4; ++round) {
    for (std::uint64_t document = 0; document < 9; ++document) ASSERT_TRUE(Ask(Of(document)).ok());
  }
  for (std::uint64_t document = 20; document < 90; ++document) ASSERT_TRUE(Ask(Of(document)).ok());
  const std::uint64_t misses = cache.Stats().misses;
  for (std::uint64_t document = 0; document < 9; ++document) ASSERT_TRUE(Ask(Of(document)).ok());
  EXPECT_LE(cache.Stats().misses - misses, 1U);
}

TEST_F(PageCacheTest, AnEndlessRoundKeepsWhatItCan) {
  // Where the least recently used would always be the one that is asked for next.
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t document = 0; document < 20; ++document) ASSERT_TRUE(Ask(Of(document)).ok());
  }
  EXPECT_GE(cache.Stats().hits, 20U * 20U / 3);
}

TEST_F(PageCacheTest, DevicesOnOneHostForgetWhatItForgets) {
  TestDevice left(&cache, 4 * kPage);
  TestDevice right(&cache, 2 * kPage);
  ASSERT_TRUE(Ask(Of(1), &left.cache).ok());
  ASSERT_TRUE(Ask(Of(1), &right.cache).ok());
  EXPECT_EQ(Reads(), 1U);
  store.Erase(1, 1);
  cache.Drop(1, 1);
  EXPECT_EQ(left.memory.live() + right.memory.live() + memory.live(), 0U);
  EXPECT_EQ(Ask(Of(1), &left.cache).code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask(Of(1), &right.cache).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace kvasir::compute
