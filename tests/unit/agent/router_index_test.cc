// Router indexes under a budget of bytes against the same without one.
#include "agent/router_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/topics.h"
#include "tests/unit/agent/router_record.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::agent {
namespace {

using compute::RouteEffort;
using storage::DocumentNumber;
using storage::SegmentKind;
using storage::SpaceId;
using storage::StatusText;

constexpr std::int64_t kDim = 192;
constexpr std::size_t kBest = 10;
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;

model::RouterSpec Spec() {
  model::RouterSpec spec;
  spec.layers = {3, 7};
  spec.key_heads = spec.query_heads = 2;
  spec.head_dim = kDim / 2;
  spec.layer_weights = {0.7F, 0.3F};
  return spec;
}

/// Keys and questions around a few topics.
class Topics : public test::Topics {
 public:
  explicit Topics(std::uint32_t seed) : test::Topics(kDim, 30, seed) {}

  std::vector<model::RouterQuery> Question() {
    std::vector<model::RouterQuery> layers;
    for (const std::int32_t layer : {3, 7}) {
      layers.push_back({.layer = layer, .count = 1, .dim = kDim, .vectors = Draw(0.5F)});
    }
    return layers;
  }

  std::string Router(std::uint32_t chunks) {
    std::vector<float> keys;
    for (std::uint32_t vectors = 2 * chunks; vectors > 0; --vectors) {
      const std::vector<float> key = Draw(1);
      keys.insert(keys.end(), key.begin(), key.end());
    }
    return RouterRecord({3, 7}, kDim, keys, Quantiser::kInt8, storage::kTestModel);
  }
};

bool Same(std::span<const LatentHit> a, std::span<const LatentHit> b) {
  return std::ranges::equal(a, b, [](const LatentHit& x, const LatentHit& y) {
    return x.document == y.document && x.segment == y.segment && x.score == y.score &&
           x.generation == y.generation;
  });
}

class RouterIndexTest : public testing::Test {
 protected:
  RouterIndexTest() {
    store = storage::OpenStore(folder / "store");
    space = Fill("default", 1500);
  }

  SpaceId Fill(const std::string& name, int documents) {
    const SpaceId made = *store->EnsureSpace(name);
    std::vector<storage::DocumentWrite> writes;
    for (int i = 0; i < documents; ++i) writes.push_back(Write(name, i));
    EXPECT_OK(store->Commit(std::move(writes)));
    return made;
  }

  /// One to three segments of one to four chunks.
  storage::DocumentWrite Write(const std::string& name, int number) {
    storage::DocumentWrite write;
    write.record.id = "m" + std::to_string(number);
    write.record.space = name;
    for (std::size_t left = 1 + topics.Below(3); left > 0; --left) {
      const auto chunks = static_cast<std::uint32_t>(1 + topics.Below(4));
      const std::uint64_t begin = write.record.text.size();
      write.record.text += "line\n";
      write.segments.push_back({.entry = {.span = {begin, begin + 5}, .tokens = chunks * 64},
                                .router = topics.Router(chunks),
                                .kv = storage::TestRecord(SegmentKind::kKv, chunks * 64, 2)});
    }
    return write;
  }

  std::unique_ptr<RouterIndex> Make(std::uint64_t bytes) {
    return std::make_unique<RouterIndex>(*store, Spec(), 1, commits, MemoryBudget{.total = bytes});
  }
  /// Bytes of a space whose keys are held.
  std::uint64_t Need(SpaceId of) {
    const auto whole = Make(kNoLimit);
    EXPECT_OK(whole->Open(of));
    return whole->Bytes();
  }
  /// An index without keys, its cache a tenth of what it would hold with them.
  std::unique_ptr<RouterIndex> Tight() { return Make(Need(space) / 2); }

  std::vector<LatentHit> Top(RouterIndex& routers, const std::vector<model::RouterQuery>& question,
                             RouteEffort effort = RouteEffort::kAuto,
                             const storage::DocumentSet* allowed = nullptr) {
    const auto index = routers.Open(space);
    if (!index.ok()) {
      ADD_FAILURE() << index.status().message();
      return {};
    }
    const auto scores =
        (*index)->Score({.layers = question, .allowed = allowed, .best = kBest, .effort = effort});
    EXPECT_OK(scores);
    return {scores->best().begin(), scores->best().end()};
  }

  void Forget(RouterIndex& routers, DocumentNumber document) {
    const std::lock_guard lock(commits);
    const auto drop = [&] {
      if (const auto index = routers.Loaded(space)) index->Remove(document);
      routers.DropKeys(space, document);
    };
    drop();
    ASSERT_OK(store->Erase(space, std::vector<DocumentNumber>{document}));
    drop();
  }

  storage::TempFolder folder;
  std::unique_ptr<storage::Store> store;
  std::mutex commits;
  Topics topics{20260323};
  SpaceId space{};
};

TEST_F(RouterIndexTest, AnswersUnderABudgetAsWithout) {
  const auto whole = Make(0);
  const auto tight = Tight();
  std::size_t same = 0;
  constexpr std::size_t kQuestions = 200;
  for (std::size_t i = 0; i < kQuestions; ++i) {
    storage::DocumentSet some;
    for (DocumentNumber d = 0; d < 1500; ++d) {
      if (topics.Below(3) > 0) some.Insert(d);
    }
    const storage::DocumentSet* allowed = i % 2 == 0 ? nullptr : &some;
    const auto question = topics.Question();
    const auto exact = Top(*whole, question, RouteEffort::kExact, allowed);
    ASSERT_EQ(exact.size(), kBest);
    EXPECT_TRUE(Same(exact, Top(*tight, question, RouteEffort::kExact, allowed)));
    same += Same(exact, Top(*tight, question, RouteEffort::kAuto, allowed));

    const auto a = *whole->Open(space);
    const auto b = *tight->Open(space);
    const std::vector<DocumentNumber> few = {3, 700, 9, 1'000'000};
    EXPECT_TRUE(Same(*a->ScoreSome(question, few), *b->ScoreSome(question, few)));
    const auto said = *a->Explain(question, exact);
    const auto said_too = *b->Explain(question, exact);
    for (std::size_t hit = 0; hit < kBest; ++hit) {
      ASSERT_EQ(said[hit].size(), 2U);
      EXPECT_EQ(said[hit][1].score, said_too[hit][1].score);
      EXPECT_EQ(said[hit][1].chunk, said_too[hit][1].chunk);
    }
  }
  EXPECT_GE(same * 100, kQuestions * 99) << same << " of " << kQuestions;
  EXPECT_TRUE((*whole->Open(space))->HoldsKeys());
  EXPECT_FALSE((*tight->Open(space))->HoldsKeys());
  EXPECT_GT(tight->KeyCache().hits, 0U);
}

TEST_F(RouterIndexTest, HoldsEverythingWhenItFitsAndKeepsToTheBudgetWhenNot) {
  const std::uint64_t need = Need(space);
  const auto enough = Make(need);
  EXPECT_TRUE((*enough->Open(space))->HoldsKeys());
  for (const std::uint64_t budget : {need - 1, need / 2, need / 3}) {
    const auto tight = Make(budget);
    for (int i = 0; i < 10; ++i) Top(*tight, topics.Question());
    EXPECT_FALSE((*tight->Open(space))->HoldsKeys());
    const auto cache = tight->KeyCache();
    EXPECT_LE(tight->Bytes() + cache.used_bytes, budget);
    EXPECT_EQ(tight->Bytes() + cache.budget_bytes, budget);
  }
}

TEST_F(RouterIndexTest, SaysHowMuchASpaceNeedsThatDoesNotFit) {
  const auto small = Make(4096);
  const auto refused = small->Open(space);
  ASSERT_EQ(refused.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(small->Open(space).status(), refused.status()) << "without reading the store again";
  EXPECT_EQ(small->OpenNow(space).index, nullptr);
  const std::string said = refused.status().message();
  const std::string before = "give at least ";
  ASSERT_NE(said.find(before), std::string::npos) << said;
  const double mebibytes = std::stod(said.substr(said.find(before) + before.size()));
  const auto enough = static_cast<std::uint64_t>(mebibytes * (1 << 20));
  EXPECT_TRUE(Make(enough)->Open(space).ok()) << said;
  EXPECT_FALSE(Make(enough * 3 / 4)->Open(space).ok()) << said;

  const SpaceId other = Fill("other", 3);
  EXPECT_OK(small->Open(other));  // Another one that fits is not its victim.
}

TEST_F(RouterIndexTest, OpensAgainWhenEnoughWasForgotten) {
  const auto small = Make(20'000);
  ASSERT_FALSE(small->Open(space).ok());
  for (DocumentNumber document = 30; document < 1500; ++document) {
    small->DropKeys(space, document);
  }
  std::vector<DocumentNumber> most;
  for (DocumentNumber document = 30; document < 1500; ++document) most.push_back(document);
  ASSERT_OK(store->Erase(space, most));
  EXPECT_OK(small->Open(space));
}

TEST_F(RouterIndexTest, LetsTheSpaceGoThatWasAskedLongestAgo) {
  const SpaceId second = Fill("second", 1500);
  const SpaceId third = Fill("third", 1500);
  const auto one = Tight();
  ASSERT_OK(one->Open(space));
  const auto two = Make(one->Bytes() * 5 / 2);  // Sketches of two spaces.
  ASSERT_OK(two->Open(space));
  ASSERT_OK(two->Open(second));
  EXPECT_FALSE(two->Loaded(space)->HoldsKeys());
  ASSERT_OK(two->Open(space));
  ASSERT_OK(two->Open(third));
  EXPECT_NE(two->Loaded(space), nullptr);
  EXPECT_EQ(two->Loaded(second), nullptr);
  EXPECT_OK(two->Open(second));
}

TEST_F(RouterIndexTest, ASpaceDroppedBeforeItsLoaderBeganIsLoadedAnew) {
  const auto routers = Make(kNoLimit);
  RouterIndex::Opening dropped;
  {
    const std::lock_guard lock(commits);  // The loader waits for it.
    dropped = routers->OpenNow(space);
    ASSERT_NE(dropped.index, nullptr);
    routers->Drop(space);
    EXPECT_EQ(routers->OpenNow(space).index, nullptr) << "one loader at a time";
  }
  RouterIndex::Opening again;
  while (!again.complete) again = routers->OpenNow(space);
  EXPECT_NE(again.index, dropped.index);
  EXPECT_EQ(dropped.index->Segments(), 0U) << "nothing was read for nobody";
  EXPECT_GE(again.index->Segments(), 1500U);
}

TEST_F(RouterIndexTest, ALargeSpaceIsSketchedBehindItsOpening) {
  const SpaceId large = *store->EnsureSpace("large");
  std::vector<storage::DocumentWrite> writes;
  for (int i = 0; i < 1100; ++i) {
    writes.push_back(Write("large", i));
    writes.back().segments.resize(1);
    writes.back().segments[0].entry.tokens = 32 * 64;
    writes.back().segments[0].router = topics.Router(32);
    writes.back().segments[0].kv = storage::TestRecord(SegmentKind::kKv, 32 * 64, 2);
  }
  ASSERT_OK(store->Commit(std::move(writes)));
  const auto routers = Make(0);
  for (const bool wait : {true, false}) {
    auto opening = routers->OpenNow(large);
    if (wait) {
      const auto opened = routers->Open(large);
      ASSERT_OK(opened);
      opening.index = *opened;
    }
    while (!opening.complete && !wait) opening = routers->OpenNow(large);
    EXPECT_EQ(opening.index->Segments(), 1100U);
    while (opening.index->WantsSketches()) std::this_thread::yield();
    routers->Drop(large);
  }
  const std::weak_ptr<SpaceIndex> dropped = *routers->Open(large);
  routers->Drop(large);
  EXPECT_TRUE(dropped.expired()) << "nobody sketches what nobody wants any more";
  EXPECT_OK(Make(0)->Open(large));  // Nobody waits for the sketches of an index that goes.
}

TEST_F(RouterIndexTest, GivesUpKeysWhenASpaceGrows) {
  const auto routers = Make(Need(space) + 1000);
  const auto index = *routers->Open(space);
  EXPECT_TRUE(index->HoldsKeys());
  const std::vector<std::string> records = {topics.Router(4), topics.Router(4)};
  ASSERT_OK(index->Replace(2000, 1, records));
  ASSERT_OK(routers->Fit(space));
  EXPECT_FALSE(index->HoldsKeys());
  EXPECT_LE(routers->Bytes(), Need(space) + 1000);
}

TEST_F(RouterIndexTest, AnEditedMemoryIsScoredByItsNewKeys) {
  const auto tight = Tight();
  const auto question = topics.Question();
  const LatentHit best = Top(*tight, question)[0];
  auto edit = Write("default", static_cast<int>(best.document));
  edit.mode = storage::WriteMode::kNewVersion;
  std::vector<std::string> records;
  for (const auto& segment : edit.segments) records.push_back(segment.router);
  const auto receipt = store->Commit(storage::One(std::move(edit)));
  ASSERT_OK(receipt);
  ASSERT_EQ(receipt->documents[0].number, best.document);
  for (const LatentHit& hit : Top(*tight, question)) {
    EXPECT_TRUE(hit.document != best.document || hit.score == best.score) << "from the cache";
  }
  const storage::Generation now = receipt->documents[0].generation;
  ASSERT_OK((*tight->Open(space))->Replace(best.document, now, records));
  const auto fresh = Make(0);
  EXPECT_TRUE(Same(Top(*tight, question), Top(*fresh, question)));
}

TEST_F(RouterIndexTest, ARestampedMemoryKeepsItsScore) {
  const auto tight = Tight();
  const auto question = topics.Question();
  const LatentHit best = Top(*tight, question)[0];
  auto stored = *store->GetByNumber(space, best.document);
  storage::DocumentWrite edit;
  edit.mode = storage::WriteMode::kNewVersion;
  edit.record = stored.record;
  edit.record.session = "another";
  edit.keep_segments = true;
  const auto receipt = store->Commit(storage::One(std::move(edit)));
  ASSERT_OK(receipt);
  const storage::Generation now = receipt->documents[0].generation;
  (*tight->Open(space))->Restamp(best.document, now);
  tight->DropAllKeys();  // Those of the version before would serve as well.
  const LatentHit after = Top(*tight, question)[0];
  EXPECT_EQ(after.document, best.document);
  EXPECT_EQ(after.score, best.score);
  EXPECT_EQ(after.generation, now);
}

TEST_F(RouterIndexTest, WhatIsForgottenIsNeitherAnsweredNorCached) {
  const auto tight = Tight();
  const auto question = topics.Question();
  for (int i = 0; i < 5; ++i) {
    const LatentHit best = Top(*tight, question)[0];
    Forget(*tight, best.document);
    for (const RouteEffort effort : {RouteEffort::kAuto, RouteEffort::kExact}) {
      for (const LatentHit& hit : Top(*tight, question, effort)) {
        EXPECT_NE(hit.document, best.document);
      }
    }
  }
}

TEST_F(RouterIndexTest, NothingIsAnsweredAfterForgetWhileOthersAsk) {
  const auto tight = Tight();
  const auto question = topics.Question();
  std::atomic<bool> done = false;
  std::atomic<int> asked = 0;
  std::thread reader([&] {
    for (; !done; ++asked) Top(*tight, question);
  });
  for (int i = 0; i < 8; ++i) {
    const LatentHit best = Top(*tight, question)[0];
    Forget(*tight, best.document);
    for (const LatentHit& hit : Top(*tight, question)) EXPECT_NE(hit.document, best.document);
  }
  done = true;
  reader.join();
  EXPECT_GT(asked, 0);
}

class RouterKeysTest : public RouterIndexTest {
 protected:
  /// Whether the keys can be had.
  bool Has(const storage::SegmentRequest& request,
           compute::RouteReading reading = compute::RouteReading::kPicked) {
    bool visited = false;
    EXPECT_OK(keys.Read({&request, 1}, reading,
                        [&](std::size_t, std::int64_t, const RouterCodes&) { visited = true; }));
    return visited;
  }
  storage::SegmentRequest Of(DocumentNumber document) {
    return {{space, document, 0}, store->GetByNumber(space, document)->generation};
  }

  RouterKeys keys{*store, Spec()};
};

TEST_F(RouterKeysTest, KeepsWhatWasPickedAndNotWhatWasSwept) {
  keys.SetBudget(100'000);
  EXPECT_TRUE(Has(Of(5), compute::RouteReading::kSweep));
  EXPECT_EQ(keys.Stats().pages, 0U);
  EXPECT_TRUE(Has(Of(5)));
  EXPECT_TRUE(Has(Of(5)));
  EXPECT_EQ(keys.Stats().misses, 1U);
  EXPECT_EQ(keys.Stats().hits, 1U);
}

TEST_F(RouterKeysTest, ReadsPastACacheWithoutRoom) {
  keys.SetBudget(0);
  EXPECT_TRUE(Has(Of(5)));
  EXPECT_EQ(keys.Stats().used_bytes, 0U);
}

TEST_F(RouterKeysTest, DropsWhatIsForgottenEvenFromTheCache) {
  keys.SetBudget(100'000);
  const storage::SegmentRequest request = Of(5);
  ASSERT_TRUE(Has(request));
  ASSERT_OK(store->Erase(space, std::vector<DocumentNumber>{5}));
  keys.Drop(space, 5);
  EXPECT_FALSE(Has(request));
  EXPECT_FALSE(Has(request, compute::RouteReading::kSweep));
}

}  // namespace
}  // namespace kvasir::agent
