// The paging cache against a simple model: random operations on a host tier and two simulated
// devices, alone and by many threads.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "compute/paging/page_cache.h"
#include "tests/unit/compute/page_cache_fixture.h"

namespace kvasir::compute {
namespace {

constexpr std::size_t kPage = TestStore::kMostBytes;
constexpr std::uint32_t kSpaces = 2;
constexpr std::uint64_t kDocuments = 40;
constexpr std::uint32_t kSegments = 2;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t Below(std::size_t end) { return engine_() % end; }
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  PageKey Key() {
    return {static_cast<std::uint32_t>(Below(kSpaces)), Below(kDocuments),
            static_cast<std::uint32_t>(Below(kSegments))};
  }

 private:
  std::mt19937_64 engine_;
};

struct Held {
  PageRequest request;
  PageCache::Pin pin;
};

struct Asked {
  std::vector<PageRequest> requests;
  std::vector<bool> there;    // In the store, in that generation, when it was asked for.
  std::vector<bool> allowed;  // The same, or of an earlier version of what was not forgotten.
  PageCache::Fetching fetching;
};

struct Tier {
  PageCache* cache;
  TierMemory* memory;
  std::size_t budget;
  std::size_t over = 0;  // What pins kept after the budget shrank.
  std::vector<Held> held;
  std::vector<Asked> asked;
};

// One thread's random walk. The store is the truth: what it holds in a generation is right, all
// else is not.
class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      for (std::uint64_t document = 0; document < kDocuments; ++document) Write(space, document);
    }
    tiers_[0] = {&host_, &memory_, kHostBudget, 0, {}, {}};
    tiers_[1] = {&left_.cache, &left_.memory, kLeftBudget, 0, {}, {}};
    tiers_[2] = {&right_.cache, &right_.memory, kRightBudget, 0, {}, {}};
  }

  void Step() {
    Tier& tier = tiers_[random_.Below(3)];
    switch (random_.Below(12)) {
      case 0:
      case 1:
      case 2:
        return Fetch(&tier);
      case 3:
      case 4:
        return Wait(&tier);
      case 5:
        return Cancel(&tier);
      case 6:
        return Prefetch(&tier);
      case 7:
      case 8:
        return Release(&tier);
      case 9:
        return Edit();
      case 10:
        return random_.OneIn(4) ? Forget() : Edit();
      default:
        return random_.OneIn(8) ? Resize(&tier) : MustSucceed(&tier);
    }
  }

  void Check() {
    for (Tier& tier : tiers_) {
      const PageCacheStats stats = tier.cache->Stats();
      EXPECT_LE(stats.used_bytes, std::max(tier.budget, tier.over));
      EXPECT_LE(tier.memory->TakeMost(), std::max(tier.budget, tier.over));
      if (stats.used_bytes <= tier.budget) tier.over = 0;
      std::size_t held = 0;
      for (const Held& page : tier.held) {
        EXPECT_TRUE(IsOf(*page.pin, page.request));
        held = std::max(held, page.pin->Bytes());
      }
      EXPECT_GE(stats.pinned_bytes, held);
    }
  }

  void End() {
    for (Tier& tier : tiers_) {
      tier.held.clear();
      tier.asked.clear();
    }
    // Twice: a device's read that runs during the first brings pages back into the host.
    host_.DropAll();
    for (std::size_t i = tiers_.size(); i-- > 0;) AwaitQuiet(*tiers_[i].cache, 0);
    host_.DropAll();
    for (Tier& tier : tiers_) {
      EXPECT_EQ(tier.cache->Stats().used_bytes, 0U);
      EXPECT_EQ(tier.cache->Stats().pages, 0U);
      EXPECT_EQ(tier.memory->live(), 0U);
    }
  }

 private:
  static constexpr std::size_t kHostBudget = 60 * kPage;
  static constexpr std::size_t kLeftBudget = 24 * kPage;
  static constexpr std::size_t kRightBudget = 9 * kPage;

  // Sometimes an older generation than the store's, or one of a forgotten document.
  PageRequest Some() {
    const PageKey key = random_.Key();
    const std::uint64_t now = generations_[key.space][key.document];
    return {key, random_.OneIn(8) && now > 1 ? now - 1 : now};
  }
  bool InStore(const PageRequest& request) {
    return store_.Generation(request.key) == request.generation;
  }

  void Write(std::uint32_t space, std::uint64_t document) {
    const std::uint64_t generation = ++generations_[space][document];
    for (std::uint32_t segment = 0; segment < kSegments; ++segment) {
      store_.Put({space, document, segment}, generation, 1 + random_.Below(kPage));
    }
  }
  void Edit() {
    const PageKey key = random_.Key();
    if (!forgotten_[key.space][key.document]) Write(key.space, key.document);
  }
  void Forget() {
    const PageKey key = random_.Key();
    store_.Erase(key.space, key.document);
    host_.Drop(key.space, key.document);
    forgotten_[key.space][key.document] = true;
  }

  void Fetch(Tier* tier) {
    std::vector<PageRequest> requests(1 + random_.Below(5));
    for (PageRequest& request : requests) request = Some();
    std::vector<bool> there;
    std::vector<bool> allowed;
    for (const PageRequest& request : requests) {
      there.push_back(InStore(request));
      allowed.push_back(!forgotten_[request.key.space][request.key.document]);
    }
    auto fetching = tier->cache->Fetch(requests);
    tier->asked.push_back(
        {std::move(requests), std::move(there), std::move(allowed), std::move(fetching)});
  }
  void Wait(Tier* tier) {
    if (tier->asked.empty()) return;
    Asked asked = std::move(tier->asked.back());
    tier->asked.pop_back();
    auto pins = std::move(asked.fetching).Wait();
    for (std::size_t i = 0; i < pins.size(); ++i) {
      if (!pins[i].ok()) {
        // An edit or a forgetting since it was asked for excuses not finding it; so do pins.
        const bool refused = pins[i].status().code() == StatusCode::kUnavailable;
        EXPECT_TRUE(refused || !asked.there[i] || !InStore(asked.requests[i]));
        continue;
      }
      EXPECT_TRUE(asked.allowed[i]) << "a forgotten page came";
      EXPECT_TRUE(IsOf(**pins[i], asked.requests[i]));
      if (random_.OneIn(2)) tier->held.push_back({asked.requests[i], *std::move(pins[i])});
    }
  }
  void Cancel(Tier* tier) {
    if (tier->asked.empty()) return;
    std::swap(tier->asked[random_.Below(tier->asked.size())], tier->asked.back());
    tier->asked.pop_back();
  }
  void Prefetch(Tier* tier) {
    std::vector<PageRequest> requests(1 + random_.Below(4));
    for (PageRequest& request : requests) request = Some();
    tier->cache->Prefetch(requests);
  }
  void Release(Tier* tier) {
    for (std::size_t n = random_.Below(6); n > 0 && !tier->held.empty(); --n) {
      std::swap(tier->held[random_.Below(tier->held.size())], tier->held.back());
      tier->held.pop_back();
    }
  }
  void Resize(Tier* tier) {
    const std::size_t before = std::max(tier->budget, tier->over);
    tier->budget = kPage * (4 + random_.Below(40));
    tier->cache->SetBudget(tier->budget);
    // What is over it now can only become less. Asked for before the mark of the memory is set
    // back: a read that nobody wants any more may give its bytes up in between.
    tier->over = tier->cache->Stats().used_bytes;
    EXPECT_LE(tier->memory->TakeMost(), std::max(before, tier->budget));
  }
  std::vector<Result<PageCache::Pin>> Quietly(const PageRequest& request, Tier* tier) {
    for (std::size_t i = tiers_.size(); i-- > 0;) AwaitQuiet(*tiers_[i].cache, 0);
    return tier->cache->Read({&request, 1});
  }
  // With nothing pinned nowhere, what the store holds comes.
  void MustSucceed(Tier* tier) {
    for (Tier& each : tiers_) {
      each.held.clear();
      each.asked.clear();
    }
    const PageRequest request = Some();
    // A guess of another tier that is read just now pins its page here: for a moment, not for ever.
    auto pins = Quietly(request, tier);
    while (pins[0].status().code() == StatusCode::kUnavailable) pins = Quietly(request, tier);
    EXPECT_TRUE(pins[0].ok() || !InStore(request)) << pins[0].status().message();
    EXPECT_TRUE(!pins[0].ok() || !forgotten_[request.key.space][request.key.document]);
  }

  Random random_;
  TierMemory memory_;
  TestStore store_{&memory_};
  PageCache host_{&store_, kHostBudget};
  TestDevice left_{&host_, kLeftBudget};
  TestDevice right_{&host_, kRightBudget};
  std::array<std::array<std::uint64_t, kDocuments>, kSpaces> generations_{};
  std::array<std::array<bool, kDocuments>, kSpaces> forgotten_{};
  std::array<Tier, 3> tiers_;
};

TEST(PageCacheProperty, AgreesWithTheStoreWhateverIsDone) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    for (int step = 0; step < 2000; ++step) {
      walk.Step();
      walk.Check();
      if (testing::Test::HasFailure()) return;
    }
    walk.End();
    if (testing::Test::HasFailure()) return;
  }
}

// What threads share: the store, the tiers, and what was forgotten for certain.
struct Shared {
  TierMemory memory;
  TestStore store{&memory};
  PageCache host{&store, 40 * kPage};
  TestDevice left{&host, 20 * kPage};
  TestDevice right{&host, 12 * kPage};
  std::array<std::atomic<bool>, kDocuments> forgotten{};
  std::atomic<std::uint64_t> found = 0;

  PageCache& Tier(std::size_t n) { return n == 0 ? host : n == 1 ? left.cache : right.cache; }
};

void ReadAtRandom(Shared* shared, std::uint64_t seed, int rounds) {
  Random random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::vector<PageRequest> requests;
    std::vector<bool> forgotten;
    for (std::size_t i = 0; i < 1 + random.Below(3); ++i) {
      PageKey key = random.Key();
      key.space = 0;
      forgotten.push_back(shared->forgotten[key.document]);
      // A forgotten document's last generation is asked for again and again.
      requests.push_back({key, std::max<std::uint64_t>(shared->store.Generation(key), 1)});
    }
    PageCache& tier = shared->Tier(random.Below(3));
    if (random.OneIn(4)) tier.Prefetch(requests);
    auto fetching = tier.Fetch(requests);
    if (random.OneIn(4)) continue;  // Cancelled.
    const auto pins = std::move(fetching).Wait();
    for (std::size_t i = 0; i < pins.size(); ++i) {
      if (!pins[i].ok()) continue;
      EXPECT_FALSE(forgotten[i]);
      EXPECT_TRUE(IsOf(**pins[i], requests[i]));
      ++shared->found;
    }
  }
}

TEST(PageCacheProperty, ThreadsNeverSeeAWrongOrForgottenPage) {
  Shared shared;
  for (std::uint64_t document = 0; document < kDocuments; ++document) {
    for (std::uint32_t segment = 0; segment < kSegments; ++segment) {
      shared.store.Put({0, document, segment}, 1);
    }
  }
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      threads.emplace_back([&shared, seed] { ReadAtRandom(&shared, seed, 3000); });
    }
    threads.emplace_back([&shared] {
      Random random(99);
      for (int round = 0; round < 200; ++round) {
        const std::uint64_t document = random.Below(kDocuments);
        if (round % 4 == 0 && document >= kDocuments / 2) {
          shared.store.Erase(0, document);
          shared.host.Drop(0, document);
          shared.forgotten[document] = true;
        } else if (!shared.forgotten[document]) {
          for (std::uint32_t segment = 0; segment < kSegments; ++segment) {
            const PageKey key{0, document, segment};
            shared.store.Put(key, shared.store.Generation(key) + 1, 1 + random.Below(kPage));
          }
        }
        std::this_thread::yield();
      }
    });
  }
  EXPECT_GT(shared.found, 1000U);
  EXPECT_LE(shared.memory.TakeMost(), 40 * kPage);
  EXPECT_LE(shared.left.memory.TakeMost(), 20 * kPage);
  EXPECT_LE(shared.right.memory.TakeMost(), 12 * kPage);
  // Twice: a device's read that runs during the first brings pages back into the host.
  shared.host.DropAll();
  for (std::size_t tier = 3; tier-- > 0;) AwaitQuiet(shared.Tier(tier), 0);
  shared.host.DropAll();
  EXPECT_EQ(shared.memory.live() + shared.left.memory.live() + shared.right.memory.live(), 0U);
}

}  // namespace
}  // namespace kvasir::compute
