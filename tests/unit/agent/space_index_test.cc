#include "agent/space_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/agent/router_record.h"

namespace kvasir::agent {
namespace {

constexpr std::int64_t kDim = 8;

model::RouterSpec Spec() {
  model::RouterSpec spec;
  spec.layers = {3, 5};
  spec.key_heads = spec.query_heads = 2;
  spec.head_dim = kDim / 2;
  spec.layer_weights = {1.0F, 0.5F};
  return spec;
}

// A record whose only chunk has the unit vector of `axis` as key in both layers.
std::string Router(std::size_t axis, Quantiser quantiser = Quantiser::kInt8) {
  std::vector<float> keys(2 * kDim, 0.0F);
  keys[axis] = keys[kDim + axis] = 1;
  return RouterRecord({3, 5}, kDim, keys, quantiser);
}

// A question that likes axis 0 best, then 1, then 2 …
std::vector<model::RouterQuery> Question() {
  std::vector<model::RouterQuery> queries;
  for (const std::int32_t layer : {3, 5}) {
    model::RouterQuery query{.layer = layer, .count = 1, .dim = kDim, .vectors = {}};
    for (std::int64_t i = 0; i < kDim; ++i)
      query.vectors.push_back(1.0F - 0.1F * static_cast<float>(i));
    queries.push_back(query);
  }
  return queries;
}

std::unique_ptr<SpaceIndex> Index() {
  auto index = SpaceIndex::Make(Spec(), 1);
  EXPECT_TRUE(index.ok()) << index.status().message();
  return *std::move(index);
}

void Put(SpaceIndex* index, storage::DocumentNumber document, std::vector<std::size_t> axes,
         storage::Generation generation = 1) {
  std::vector<std::string> routers;
  for (const std::size_t axis : axes) routers.push_back(Router(axis));
  ASSERT_TRUE(index->Replace(document, generation, routers).ok());
}

std::vector<LatentHit> Top(const SpaceIndex& index, const storage::DocumentSet* allowed = nullptr) {
  const auto question = Question();
  const auto scores = index.Score({.layers = question, .allowed = allowed, .best = 10});
  EXPECT_TRUE(scores.ok()) << scores.status().message();
  return {scores->best().begin(), scores->best().end()};
}

TEST(SpaceIndex, RanksMemoriesByTheirBestSegment) {
  const auto index = Index();
  Put(index.get(), 4, {2});
  Put(index.get(), 7, {5, 0, 6}, 9);
  Put(index.get(), 2, {1});
  const auto top = Top(*index);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].document, 7U);
  EXPECT_EQ(top[0].segment, 1U);
  EXPECT_EQ(top[0].generation, 9U);
  EXPECT_NEAR(top[0].score, 1.5, 1e-3);  // 1 in layer 3, half of 1 in layer 5.
  EXPECT_EQ(top[1].document, 2U);
  EXPECT_EQ(top[2].document, 4U);
}

TEST(SpaceIndex, BreaksTiesByNumber) {
  const auto index = Index();
  for (const storage::DocumentNumber document : {9, 3, 5}) Put(index.get(), document, {1});
  const auto top = Top(*index);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].document, 3U);
  EXPECT_EQ(top[2].document, 9U);
}

TEST(SpaceIndex, ScoresOnlyWhatIsAllowed) {
  const auto index = Index();
  for (storage::DocumentNumber document = 0; document < 6; ++document) {
    Put(index.get(), document, {document});
  }
  storage::DocumentSet allowed;
  allowed.Insert(3);
  allowed.Insert(5);
  const auto top = Top(*index, &allowed);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].document, 3U);
  EXPECT_EQ(top[1].document, 5U);
}

TEST(SpaceIndex, ShowsTheNewVersionOnly) {
  const auto index = Index();
  Put(index.get(), 1, {0, 1, 2}, 1);
  Put(index.get(), 1, {4}, 2);
  const auto top = Top(*index);
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].generation, 2U);
  EXPECT_NEAR(top[0].score, 0.6 * 1.5, 1e-3);
}

TEST(SpaceIndex, ForgetsWhatIsRemovedOrNotRetained) {
  const auto index = Index();
  for (storage::DocumentNumber document = 0; document < 4; ++document)
    Put(index.get(), document, {1});
  index->Remove(2);
  storage::DocumentSet present;
  present.Insert(0);
  present.Insert(2);
  index->Retain(present);
  const auto top = Top(*index);
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].document, 0U);
}

TEST(SpaceIndex, TakesBf16RecordsToo) {
  const auto index = Index();
  const std::vector<std::string> routers = {Router(0, Quantiser::kBf16)};
  ASSERT_TRUE(index->Replace(0, 1, routers).ok());
  EXPECT_NEAR(Top(*index)[0].score, 1.5, 1e-3);
}

TEST(SpaceIndex, RefusesOtherLayers) {
  model::RouterSpec other = Spec();
  other.layers = {3, 6};
  const auto index = SpaceIndex::Make(other, 1);
  const std::vector<std::string> routers = {Router(0)};
  EXPECT_EQ((*index)->Replace(0, 1, routers).code(), StatusCode::kCorruption);
}

TEST(SpaceIndex, ExplainsEachLayer) {
  const auto index = Index();
  Put(index.get(), 1, {2, 0});
  const std::vector<LatentHit> hits = Top(*index);
  const auto explained = index->Explain(Question(), hits);
  ASSERT_TRUE(explained.ok());
  ASSERT_EQ(explained->front().size(), 2U);
  EXPECT_EQ(explained->front()[0].layer, 3U);
  EXPECT_EQ(explained->front()[1].layer, 5U);
  EXPECT_NEAR(explained->front()[1].score, 1.0F, 1e-3);
}

TEST(SpaceIndex, NeverShowsHalfAVersion) {
  const auto index = Index();
  Put(index.get(), 0, {7, 7});
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (storage::Generation generation = 2; !stop; ++generation) {
      // Even generations score high with either segment, odd ones low.
      Put(index.get(), 0,
          generation % 2 == 0 ? std::vector<std::size_t>{0, 0} : std::vector<std::size_t>{7, 7},
          generation);
    }
  });
  for (storage::Generation seen = 0; seen < 500;) {
    const auto top = Top(*index);
    ASSERT_EQ(top.size(), 1U);
    seen = top[0].generation;
    ASSERT_NEAR(top[0].score, seen % 2 == 1 ? 0.45 : 1.5, 1e-2);
  }
  stop = true;
}

}  // namespace
}  // namespace kvasir::agent
