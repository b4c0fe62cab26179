// What tells the memories of one space apart, against plain cosines and against spaces made anew.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "agent/space_index.h"
#include "tests/unit/agent/router_record.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

constexpr std::int64_t kDim = 64;
constexpr std::size_t kStyles = 4;

model::RouterSpec Spec() {
  model::RouterSpec spec;
  spec.layers = {2, 4};
  spec.key_heads = spec.query_heads = 1;
  spec.head_dim = kDim;
  spec.layer_weights = {0.7F, 0.3F};
  return spec;
}

/// A few styles that many memories share, and what each memory is about; by number alone.
std::vector<float> Vector(std::uint32_t number) {
  std::minstd_rand random(number + 1);
  std::normal_distribution<float> normal;
  std::vector<float> x(kDim);
  for (float& value : x) value = normal(random);
  return x;
}
std::vector<float> Mixed(std::size_t style, DocumentNumber about) {
  const std::vector<float> a = Vector(static_cast<std::uint32_t>(style));
  const std::vector<float> b = Vector(static_cast<std::uint32_t>(1000 + about));
  std::vector<float> x(kDim);
  float squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = a[i] + 0.5F * b[i];
    squares += x[i] * x[i];
  }
  for (float& value : x) value /= std::sqrt(squares);
  return x;
}

void Remember(SpaceIndex& index, DocumentNumber document, storage::Generation generation = 1) {
  const std::vector<float> key = Mixed(document % kStyles, document);
  std::vector<float> keys = key;  // Of both layers.
  keys.insert(keys.end(), key.begin(), key.end());
  const std::vector<std::string> segments = {RouterRecord({2, 4}, kDim, keys)};
  ASSERT_TRUE(index.Replace(document, generation, segments).ok());
}

std::unique_ptr<SpaceIndex> Fill(DocumentNumber documents, const model::RouterSpec& spec = Spec()) {
  auto index = SpaceIndex::Make(spec, 1).value();
  for (DocumentNumber d = 0; d < documents; ++d) Remember(*index, d);
  return index;
}

/// Asks for what a memory is about, in another style than its own.
std::vector<model::RouterQuery> Ask(DocumentNumber about) {
  const std::vector<float> vector = Mixed((about + 1) % kStyles, about);
  return {{.layer = 2, .count = 1, .dim = kDim, .vectors = vector},
          {.layer = 4, .count = 1, .dim = kDim, .vectors = vector}};
}

std::vector<LatentHit> Best(const SpaceIndex& index, std::span<const model::RouterQuery> layers,
                            std::size_t count) {
  const LatentScores scores = index.Score({.layers = layers, .best = count}).value();
  return {scores.best().begin(), scores.best().end()};
}

std::vector<std::optional<double>> Apart(const SpaceIndex& index, DocumentNumber about) {
  const auto layers = Ask(about);
  return index.ScoreApart(layers, Best(index, layers, 50)).value();
}

TEST(SpaceApart, FindsWhatTheStyleHides) {
  const auto index = Fill(300);
  int plain = 0;
  int apart = 0;
  for (DocumentNumber about = 0; about < 40; ++about) {
    const auto layers = Ask(about);
    const auto hits = Best(*index, layers, 300);
    const auto scores = index->ScoreApart(layers, hits).value();
    ASSERT_EQ(scores.size(), hits.size());
    std::size_t first = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      ASSERT_TRUE(scores[i]);
      ASSERT_LE(std::abs(*scores[i]), 1.0001);
      if (*scores[i] > *scores[first]) first = i;
    }
    plain += hits[0].document == about;
    apart += hits[first].document == about;
  }
  EXPECT_LE(plain, 5);
  EXPECT_EQ(apart, 40);
}

TEST(SpaceApart, WhatWasForgottenHasNoSay) {
  const auto index = Fill(400);
  const auto before = Apart(*index, 3);
  for (DocumentNumber d = 300; d < 400; ++d) index->Remove(d);
  const auto after = Apart(*index, 3);
  EXPECT_NE(after, before);
  EXPECT_EQ(after, Apart(*Fill(300), 3));
}

TEST(SpaceApart, WhatIsForgottenMeanwhileHasNoSayAfterwards) {
  const auto index = Fill(300);
  const auto expected = Apart(*index, 3);
  for (int round = 0; round < 30; ++round) {
    for (DocumentNumber d = 300; d < 400; ++d) Remember(*index, d);
    std::atomic<bool> asking = false;
    std::thread other([&] {
      asking = true;
      (void)Apart(*index, 3);  // Looks at the sample: the space has grown.
    });
    while (!asking) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(40 * round));
    for (DocumentNumber d = 300; d < 400; ++d) index->Remove(d);
    other.join();
    EXPECT_EQ(Apart(*index, 3), expected);
  }
}

TEST(SpaceApart, LooksAgainWhenASpaceHasGrown) {
  const auto index = Fill(160);
  const auto layers = Ask(3);
  const auto hits = Best(*index, layers, 50);
  const auto before = index->ScoreApart(layers, hits).value();
  for (DocumentNumber d = 160; d < 170; ++d) Remember(*index, d);
  EXPECT_EQ(index->ScoreApart(layers, hits).value(), before);  // A sixteenth more: not worth it.
  Remember(*index, 170);
  EXPECT_EQ(index->ScoreApart(layers, hits).value(), Fill(171)->ScoreApart(layers, hits).value());
  EXPECT_NE(index->ScoreApart(layers, hits).value(), before);
}

TEST(SpaceApart, SaysNothingOfOtherVersions) {
  const auto index = Fill(50);
  const auto layers = Ask(3);
  auto hits = Best(*index, layers, 3);
  Remember(*index, hits[0].document, 2);
  hits[1].document = 1000;
  hits[2].segment = 1;
  const auto scores = index->ScoreApart(layers, hits).value();
  EXPECT_EQ(scores, (std::vector<std::optional<double>>(3)));
}

TEST(SpaceApart, IsForRoutersThatFold) {
  model::RouterSpec spec = Spec();
  spec.head_reduce = compute::HeadReduce::kMax;
  const auto index = Fill(20, spec);
  const std::vector<LatentHit> hits = {{.document = 3, .segment = 0, .generation = 1}};
  EXPECT_EQ(index->ScoreApart(Ask(3), hits).value(), (std::vector<std::optional<double>>(1)));
  const auto empty = SpaceIndex::Make(Spec(), 1).value();
  EXPECT_EQ(empty->ScoreApart(Ask(3), hits).value(), (std::vector<std::optional<double>>(1)));
}

TEST(SpaceApart, CountsWhatItKeeps) {
  const auto index = Fill(50);
  const std::uint64_t before = index->Bytes();
  (void)Apart(*index, 3);
  EXPECT_GE(index->Bytes(), before + 2 * kDim * kDim * sizeof(float) / 2);
  index->Remove(7);
  EXPECT_LT(index->Bytes(), before);
}

}  // namespace
}  // namespace kvasir::agent
