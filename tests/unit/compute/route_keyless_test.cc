// An index that gave up its keys against one that holds them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "compute/route.h"
#include "compute/route_source.h"

namespace kvasir::compute {
namespace {

constexpr std::int64_t kLayers = 2;
constexpr std::int64_t kDim = 36;  // No whole number of lines.
constexpr float kNone = -std::numeric_limits<float>::infinity();

struct Keys {
  std::int64_t chunks = 0;
  std::vector<std::int8_t> codes;
  std::vector<float> scales;

  RouteEntry Entry(std::uint64_t id) const {
    return {.id = id, .chunks = chunks, .codes = codes, .scales = scales, .keys = {}};
  }
};

/// The truth that keys are read from.
class MapSource final : public RouteKeySource {
 public:
  Status Read(std::span<const std::uint64_t> ids, RouteReading reading,
              const Visit& visit) override {
    (reading == RouteReading::kSweep ? swept : picked) += ids.size();
    for (std::size_t i = ids.size(); i-- > 0;) {  // In any order.
      const auto found = keys.find(ids[i]);
      if (found != keys.end()) visit(i, found->second.Entry(ids[i]));
    }
    return Status::Ok();
  }

  std::map<std::uint64_t, Keys> keys;
  std::atomic<std::size_t> picked = 0;
  std::atomic<std::size_t> swept = 0;
};

/// Both indexes, changed alike.
class Pair {
 public:
  explicit Pair(std::uint32_t seed) : random_(seed) {
    for (auto& topic : topics_) topic = Noise();
  }

  void Append() {
    Keys keys{.chunks = 1 + static_cast<std::int64_t>(Draw(9)), .codes = {}, .scales = {}};
    for (std::int64_t row = 0; row < kLayers * keys.chunks; ++row) {
      const std::vector<float> key = Near();
      for (const float x : key) keys.codes.push_back(static_cast<std::int8_t>(x * 40));
      keys.scales.push_back(0.002F + 0.0001F * static_cast<float>(Draw(10)));
    }
    const std::uint64_t id = next_++;
    ASSERT_TRUE(held->Append(keys.Entry(id)).ok());
    source.keys[id] = std::move(keys);
    ASSERT_TRUE(keyless->Append(source.keys[id].Entry(id)).ok());
  }

  void Remove() {
    if (source.keys.empty()) return;
    auto at = source.keys.begin();
    std::advance(at, Draw(source.keys.size()));
    ASSERT_TRUE(held->Remove(at->first).ok());
    ASSERT_TRUE(keyless->Remove(at->first).ok());
    source.keys.erase(at);
  }

  std::vector<float> Near() {
    std::vector<float> x = Noise();
    const std::vector<float>& topic = topics_[Draw(topics_.size())];
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += 2 * topic[i];
    return x;
  }
  std::size_t Draw(std::size_t below) { return random_() / 64 % below; }

  MapSource source;
  std::unique_ptr<RouteIndex> held = RouteIndex::Make({.layers = kLayers, .dim = kDim}).value();
  std::unique_ptr<RouteIndex> keyless =
      RouteIndex::Make({.layers = kLayers, .dim = kDim}, &source).value();

 private:
  std::vector<float> Noise() {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> x(kDim);
    for (float& value : x) value = uniform(random_);
    return x;
  }
  std::minstd_rand random_;
  std::vector<std::vector<float>> topics_ = std::vector<std::vector<float>>(20);
  std::uint64_t next_ = 100;
};

struct Question {
  explicit Question(Pair& pair, const EntryBitmap* allowed) {
    const std::size_t tokens = 1 + pair.Draw(3);
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      for (std::size_t t = 0; t < tokens; ++t) {
        const std::vector<float> one = pair.Near();
        vectors[layer].insert(vectors[layer].end(), one.begin(), one.end());
      }
      layers.push_back({.layer = layer, .queries = vectors[layer], .allowed = allowed});
      layers.back().chunk_reduce = pair.Draw(2) == 0 ? ChunkReduce::kMax : ChunkReduce::kMean;
      layers.back().threads = 1 + static_cast<int>(pair.Draw(2));
    }
  }
  RouteSum Sum(RouteEffort effort) const {
    return {.layers = layers, .weights = weights, .best = 8, .also = {}, .effort = effort};
  }

  std::vector<float> vectors[kLayers];
  std::vector<RouteQuery> layers;
  std::vector<float> weights = {0.7F, 0.3F};
};

std::vector<float> Totals(const RouteIndex& index, const Question& question, RouteEffort effort) {
  std::vector<float> totals(index.Ordinals());
  EXPECT_TRUE(index.ScanBest(question.Sum(effort), totals).ok());
  return totals;
}

std::vector<std::pair<std::uint64_t, float>> Best(const RouteIndex& index,
                                                  std::span<const float> totals) {
  std::vector<RouteHit> hits;
  index.TopK(totals, 8, nullptr, &hits);
  std::vector<std::pair<std::uint64_t, float>> best;
  best.reserve(hits.size());
  for (const RouteHit& hit : hits) best.emplace_back(hit.id, hit.score);
  return best;
}

/// What ReadKeys says of every third ordinal and of some that were never given out.
std::map<std::size_t, std::vector<float>> KeysOf(const RouteIndex& index,
                                                 std::span<const std::uint32_t> ordinals) {
  std::map<std::size_t, std::vector<float>> keys;
  EXPECT_TRUE(index
                  .ReadKeys(1, ordinals,
                            [&](std::size_t i, std::span<const float> key) {
                              keys[i].insert(keys[i].end(), key.begin(), key.end());
                            })
                  .ok());
  return keys;
}

void ExpectTheSameOfEveryKey(const Pair& pair, const Question& question) {
  const RouteIndex& a = *pair.held;
  const RouteIndex& b = *pair.keyless;
  ASSERT_EQ(a.Ordinals(), b.Ordinals());
  EXPECT_EQ(Totals(a, question, RouteEffort::kExact), Totals(b, question, RouteEffort::kExact));
  std::vector<float> x(a.Ordinals());
  std::vector<float> y(a.Ordinals());
  std::vector<std::uint32_t> x_chunks(a.Ordinals());
  std::vector<std::uint32_t> y_chunks(a.Ordinals());
  const RouteQuery& query = question.layers[1];
  ASSERT_TRUE(a.Scan(query, x, x_chunks).ok());
  ASSERT_TRUE(b.Scan(query, y, y_chunks).ok());
  EXPECT_EQ(x, y);
  EXPECT_EQ(x_chunks, y_chunks);
  std::vector<std::uint32_t> some;
  for (std::uint32_t i = 0; i < a.Ordinals() + 3; i += 3) some.push_back(i);
  x.resize(some.size());
  y.resize(some.size());
  x_chunks.resize(some.size());
  y_chunks.resize(some.size());
  ASSERT_TRUE(a.ScanEntries(query, some, x, x_chunks).ok());
  ASSERT_TRUE(b.ScanEntries(query, some, y, y_chunks).ok());
  EXPECT_EQ(x, y);
  EXPECT_EQ(x_chunks, y_chunks);
  EXPECT_EQ(KeysOf(a, some), KeysOf(b, some));
  const RouteHeads heads{.heads = 2, .kv_heads = 2, .head_dim = kDim / 2};
  x.resize(a.Ordinals());
  y.resize(a.Ordinals());
  ASSERT_TRUE(a.ScanGeneral(query, heads, x).ok());
  ASSERT_TRUE(b.ScanGeneral(query, heads, y).ok());
  EXPECT_EQ(x, y);
}

TEST(KeylessRouteIndex, SaysWhatAnIndexWithKeysSaysWhateverHappens) {
  std::size_t same = 0;
  std::size_t asked = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair(seed);
    const std::size_t give_up_at = 20 + pair.Draw(1500);
    for (std::size_t step = 0; step < 3000; ++step) {
      if (step == give_up_at) {
        ASSERT_TRUE(pair.keyless->GiveUpKeys(2).ok());
      }
      if (pair.Draw(4) == 0) {
        pair.Remove();
      } else {
        pair.Append();
      }
      if (step % 100 != 99) continue;
      EntryBitmap allowed;
      for (std::uint32_t i = 0; i < pair.held->Ordinals(); ++i) {
        if (pair.Draw(3) != 0) allowed.Set(i);
      }
      const Question question(pair, pair.Draw(2) == 0 ? nullptr : &allowed);
      ExpectTheSameOfEveryKey(pair, question);
      const auto exact = Best(*pair.held, Totals(*pair.held, question, RouteEffort::kExact));
      same += exact == Best(*pair.keyless, Totals(*pair.keyless, question, RouteEffort::kAuto));
      ++asked;
    }
    EXPECT_FALSE(pair.keyless->HoldsKeys());
  }
  EXPECT_GE(same * 100, asked * 99) << same << " of " << asked;
}

TEST(KeylessRouteIndex, HoldsSketchesOnlyAndPicksFewKeys) {
  Pair pair(7);
  for (int i = 0; i < 3000; ++i) pair.Append();
  const std::int64_t whole = pair.keyless->Bytes();
  ASSERT_TRUE(pair.keyless->GiveUpKeys(1).ok());
  EXPECT_FALSE(pair.keyless->HoldsKeys());
  EXPECT_LT(pair.keyless->Bytes(), whole / 3) << "40 bytes of key, 10 of sketch at this size";
  const Question question(pair, nullptr);
  Totals(*pair.keyless, question, RouteEffort::kAuto);
  EXPECT_LT(pair.source.picked, 750U);
  EXPECT_EQ(pair.source.swept, 0U);
  Totals(*pair.keyless, question, RouteEffort::kExact);
  EXPECT_EQ(pair.source.swept, 3000U) << "each once, for all layers";
  const std::size_t picked = pair.source.picked;
  std::vector<float> scores(pair.keyless->Ordinals());
  ASSERT_TRUE(pair.keyless->Scan(question.layers[0], scores).ok());
  EXPECT_EQ(pair.source.swept, 6000U);
  EXPECT_EQ(pair.source.picked, picked) << "a scan throws nothing out of the cache";
}

TEST(KeylessRouteIndex, TakesWhatTheSourceLostForAbsent) {
  Pair pair(8);
  for (int i = 0; i < 2000; ++i) pair.Append();
  ASSERT_TRUE(pair.keyless->GiveUpKeys(1).ok());
  const Question question(pair, nullptr);
  const auto before = Best(*pair.keyless, Totals(*pair.keyless, question, RouteEffort::kAuto));
  pair.source.keys.erase(before[0].first);
  for (const RouteEffort effort : {RouteEffort::kAuto, RouteEffort::kExact}) {
    const auto after = Best(*pair.keyless, Totals(*pair.keyless, question, effort));
    ASSERT_EQ(after.size(), before.size());
    EXPECT_TRUE(std::equal(before.begin() + 1, before.end(), after.begin()));
  }
}

TEST(KeylessRouteIndex, NeverAsksTheSourceForWhatWasRemoved) {
  Pair pair(9);
  for (int i = 0; i < 2000; ++i) pair.Append();
  ASSERT_TRUE(pair.keyless->GiveUpKeys(1).ok());
  const Question question(pair, nullptr);
  const auto before = Best(*pair.keyless, Totals(*pair.keyless, question, RouteEffort::kAuto));
  ASSERT_TRUE(pair.keyless->Remove(before[0].first).ok());  // Its keys are still to be had.
  const std::uint32_t ordinal = static_cast<std::uint32_t>(before[0].first - 100);
  EXPECT_EQ(Totals(*pair.keyless, question, RouteEffort::kAuto)[ordinal], kNone);
  float score = 0;
  ASSERT_TRUE(pair.keyless->ScanEntries(question.layers[0], {&ordinal, 1}, {&score, 1}).ok());
  EXPECT_EQ(score, kNone);
}

TEST(KeylessRouteIndex, GivesUpItsKeysBesideScans) {
  Pair pair(10);
  for (int i = 0; i < 4000; ++i) pair.Append();
  Question question(pair, nullptr);
  for (RouteQuery& layer : question.layers) layer.threads = 1;  // OpenMP hides from a sanitizer.
  const std::vector<float> exact = Totals(*pair.held, question, RouteEffort::kExact);
  std::atomic<bool> begun = false;
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    for (bool last = false; !last; begun = true) {
      last = done;
      wrong += Totals(*pair.keyless, question, RouteEffort::kExact) != exact;
    }
  });
  while (!begun) std::this_thread::yield();
  EXPECT_TRUE(pair.keyless->GiveUpKeys(1).ok());
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(KeylessRouteIndex, NeedsASourceAndInt8Keys) {
  MapSource source;
  const RouteShape floats{.layers = 1, .dim = 8, .keys = RouteKeys::kF32};
  EXPECT_EQ(RouteIndex::Make({.layers = 1, .dim = 8}).value()->GiveUpKeys(1).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(RouteIndex::Make(floats, &source).value()->GiveUpKeys(1).code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvasir::compute
