// Large spaces: what sketches find against what a whole scan finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <random>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/space_index.h"
#include "tests/unit/agent/router_record.h"

namespace kvasir::agent {
namespace {

using compute::RouteEffort;
using storage::DocumentNumber;

constexpr std::int64_t kDim = 64;
constexpr std::size_t kBest = 30;

model::RouterSpec Spec() {
  model::RouterSpec spec;
  spec.layers = {2, 4};
  spec.key_heads = spec.query_heads = 2;
  spec.head_dim = kDim / 2;
  spec.layer_weights = {0.7F, 0.3F};
  return spec;
}

enum class Kind { kTopics, kRandom, kFewDistinct, kAllTheSame };

/// In the test's name.
void PrintTo(Kind kind, std::ostream* out) { *out << static_cast<int>(kind); }

/// Draws keys and questions of one kind; the same seed draws the same.
class Source {
 public:
  explicit Source(Kind kind, std::uint32_t seed) : kind_(kind) {
    for (auto& centre : centres_) centre = Noise(1.0F);
    random_.seed(seed);
  }

  std::vector<float> Key() {
    if (kind_ == Kind::kRandom) return Unit(Noise(1.0F));
    if (kind_ == Kind::kAllTheSame) return Unit(centres_[0]);
    std::vector<float> key = centres_[Below(centres_.size())];
    if (kind_ == Kind::kTopics) {
      const std::vector<float> noise = Noise(1.0F);
      for (std::size_t i = 0; i < key.size(); ++i) key[i] += noise[i];
    }
    return Unit(std::move(key));
  }

  std::vector<model::RouterQuery> Question() {
    std::vector<model::RouterQuery> layers;
    for (const std::int32_t layer : {2, 4}) {
      std::vector<float> vector = centres_[Below(centres_.size())];
      const std::vector<float> noise = Noise(0.5F);
      for (std::size_t i = 0; i < vector.size(); ++i) vector[i] += noise[i];
      layers.push_back(
          {.layer = layer, .count = 1, .dim = kDim, .vectors = Unit(std::move(vector))});
    }
    return layers;
  }

  /// One to four segments of one to four chunks.
  std::vector<std::string> Document() {
    std::vector<std::string> segments(1 + Below(4));
    for (std::string& segment : segments) {
      std::vector<float> keys;
      for (std::size_t rows = 2 * (1 + Below(4)); rows > 0; --rows) {
        const std::vector<float> key = Key();
        keys.insert(keys.end(), key.begin(), key.end());
      }
      segment = RouterRecord({2, 4}, kDim, keys);
    }
    return segments;
  }

  std::size_t Below(std::size_t end) { return random_() / 64 % end; }

 private:
  std::vector<float> Noise(float width) {
    std::uniform_real_distribution<float> uniform(-width, width);
    std::vector<float> x(kDim);
    for (float& value : x) value = uniform(random_);
    return x;
  }
  static std::vector<float> Unit(std::vector<float> x) {
    float squares = 0;
    for (const float value : x) squares += value * value;
    for (float& value : x) value /= std::sqrt(squares);
    return x;
  }

  const Kind kind_;
  std::minstd_rand random_{1};
  std::vector<std::vector<float>> centres_ = std::vector<std::vector<float>>(30);
};

// More chunks than an index needs to have sketches: 6.25 of them in a document.
constexpr DocumentNumber kDocuments = compute::RouteIndex::kSketchChunks / 6 + 1000;

std::unique_ptr<SpaceIndex> Fill(Source& source) {
  auto index = SpaceIndex::Make(Spec(), 1).value();
  for (DocumentNumber document = 0; document < kDocuments; ++document) {
    EXPECT_TRUE(index->Replace(document, 1, source.Document()).ok());
  }
  return index;
}

bool Same(std::span<const LatentHit> a, std::span<const LatentHit> b) {
  return std::ranges::equal(a, b, [](const LatentHit& x, const LatentHit& y) {
    return x.document == y.document && x.segment == y.segment && x.score == y.score &&
           x.generation == y.generation;
  });
}

/// Counts in how many of `questions` both ways find the same memories with the same scores; those
/// asked for besides must agree in every one.
void CountSame(const SpaceIndex& index, Source& source, int questions,
               const storage::DocumentSet* allowed, int* counted) {
  int& same = *counted;
  for (int i = 0; i < questions; ++i) {
    const auto layers = source.Question();
    std::vector<DocumentNumber> also(20);
    for (DocumentNumber& document : also) document = source.Below(kDocuments + 10);
    LatentQuery query{.layers = layers, .allowed = allowed, .best = kBest, .also = also};
    const LatentScores picked = index.Score(query).value();
    query.effort = RouteEffort::kExact;
    const LatentScores whole = index.Score(query).value();
    same += Same(picked.best(), whole.best());
    for (const DocumentNumber document : also) {
      const auto a = picked.Find(document);
      const auto b = whole.Find(document);
      ASSERT_EQ(a.has_value(), b.has_value());
      if (!a) continue;
      EXPECT_EQ(a->score, b->score);
      EXPECT_TRUE(allowed == nullptr || allowed->Contains(document));
    }
  }
}

int Same(const SpaceIndex& index, Source& source, int questions,
         const storage::DocumentSet* allowed = nullptr) {
  int same = 0;
  CountSame(index, source, questions, allowed, &same);
  return same;
}

class SpaceSearch : public testing::TestWithParam<Kind> {};

TEST_P(SpaceSearch, FindsWhatAWholeScanFinds) {
  Source source(GetParam(), 1);
  const auto index = Fill(source);
  EXPECT_GE(Same(*index, source, 100), 99);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SpaceSearch,
                         testing::Values(Kind::kTopics, Kind::kRandom, Kind::kFewDistinct,
                                         Kind::kAllTheSame));

TEST(SpaceSearch, ScoresAFewAsAWholeScanDoes) {
  Source source(Kind::kTopics, 6);
  const auto index = Fill(source);
  index->Remove(4);
  const auto layers = source.Question();
  const std::vector<DocumentNumber> some = {kDocuments - 1, 4, 0, kDocuments + 10, 17};
  const LatentQuery query{
      .layers = layers, .best = kBest, .also = some, .effort = RouteEffort::kExact};
  const LatentScores whole = index->Score(query).value();
  std::vector<LatentHit> expected;
  for (const DocumentNumber document : {kDocuments - 1, DocumentNumber{0}, DocumentNumber{17}}) {
    expected.push_back(whole.Find(document).value());
  }
  EXPECT_TRUE(Same(index->ScoreSome(layers, some).value(), expected));
  EXPECT_TRUE(index->ScoreSome({}, some).value().empty());
}

TEST(SpaceSearch, FindsTheSameBehindAFilterAndAfterForgetting) {
  Source source(Kind::kTopics, 2);
  const auto index = Fill(source);
  storage::DocumentSet half;
  storage::DocumentSet few;
  for (DocumentNumber document = 0; document < kDocuments; ++document) {
    if (document % 2 == 0) half.Insert(document);
    if (document % 1000 == 0) few.Insert(document);
    if (document % 3 == 0) index->Remove(document);
  }
  EXPECT_GE(Same(*index, source, 50), 49);
  EXPECT_GE(Same(*index, source, 50, &half), 49);
  EXPECT_EQ(Same(*index, source, 20, &few), 20);
  const auto layers = source.Question();
  for (const auto* allowed : {&half, &few}) {
    const auto scores = index->Score({.layers = layers, .allowed = allowed, .best = kBest});
    for (const LatentHit& hit : scores->best()) {
      EXPECT_NE(hit.document % 3, 0U);
      EXPECT_TRUE(allowed->Contains(hit.document));
    }
  }
}

TEST(SpaceSearch, StaysTrueWhileMemoriesComeAndGo) {
  Source source(Kind::kTopics, 4);
  const auto index = Fill(source);
  // One memory holds the question itself: whatever happens, it is the best.
  const auto layers = source.Question();
  std::vector<float> keys = layers[0].vectors;
  keys.insert(keys.end(), layers[1].vectors.begin(), layers[1].vectors.end());
  const std::vector<std::string> sought = {RouterRecord({2, 4}, kDim, keys)};
  ASSERT_TRUE(index->Replace(77, 1, sought).ok());
  std::jthread writer([&](const std::stop_token& stop) {
    Source written(Kind::kTopics, 5);
    for (storage::Generation generation = 2; !stop.stop_requested(); ++generation) {
      const DocumentNumber other = 100 + written.Below(kDocuments - 100);
      EXPECT_TRUE(index->Replace(77, generation, sought).ok());
      index->Remove(other);
      EXPECT_TRUE(index->Replace(other, generation, written.Document()).ok());
      index->Remove(78);  // Only ever gone: no answer may show it.
    }
  });
  index->Remove(78);
  for (int i = 0; i < 1000; ++i) {  // Many, as on one core few meet a change in their middle.
    const auto scores = index->Score({.layers = layers, .best = kBest});
    ASSERT_TRUE(scores.ok());
    ASSERT_GE(scores->best().size(), kBest - 2);  // One of the best may just be going.
    EXPECT_EQ(scores->best()[0].document, 77U);
    EXPECT_NEAR(scores->best()[0].score, 1.0, 0.02);
    EXPECT_FALSE(scores->Find(78).has_value());
    for (std::size_t k = 1; k < scores->best().size(); ++k) {
      EXPECT_NE(scores->best()[k].document, scores->best()[k - 1].document);
      EXPECT_LE(scores->best()[k].score, scores->best()[k - 1].score);
    }
  }
  writer.request_stop();
  writer.join();
  EXPECT_GE(Same(*index, source, 50), 49);
}

}  // namespace
}  // namespace kvasir::agent
