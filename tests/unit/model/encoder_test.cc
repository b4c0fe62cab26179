#include "model/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/model/tiny_model.h"

namespace kvasir::model {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

std::unique_ptr<Encoder> MakeEncoder(const std::shared_ptr<const Model>& model,
                                     std::int64_t batch_tokens = 2048) {
  auto encoder = Encoder::Make(model, {.batch_tokens = batch_tokens});
  EXPECT_TRUE(encoder.ok()) << encoder.status().message();
  return std::move(encoder).value();
}

void ExpectSame(const EncodedSegment& a, const EncodedSegment& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  ASSERT_EQ(a.chunks, b.chunks);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].layer, b.layers[i].layer);
    EXPECT_THAT(a.layers[i].keys, Pointwise(FloatNear(1e-5F), b.layers[i].keys));
    EXPECT_THAT(a.layers[i].values, Pointwise(FloatNear(1e-5F), b.layers[i].values));
    EXPECT_THAT(a.layers[i].router_keys, Pointwise(FloatNear(1e-5F), b.layers[i].router_keys));
  }
}

std::vector<TokenSequence> SomeSegments() {
  std::vector<TokenSequence> segments;
  for (const std::size_t length : {1, 7, 8, 9, 40, 2, 64, 17}) {
    segments.push_back(TinyTokens(length, length));
  }
  return segments;
}

TEST(Encoder, GivesTheSameInOneBatchAsOneByOne) {
  for (const std::string backend : {"reference", "cpu"}) {
    const auto model = TinyModel({.backend = backend});
    const auto encoder = MakeEncoder(model);
    const auto segments = SomeSegments();
    const auto together = encoder->Encode(segments);
    ASSERT_TRUE(together.ok());
    ASSERT_EQ(together->size(), segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto alone = encoder->Encode(std::span(&segments[i], 1));
      ASSERT_TRUE(alone.ok());
      ExpectSame((*together)[i], alone->front());
    }
  }
}

TEST(Encoder, GivesTheSameWhereverBatchesAreCut) {
  const auto model = TinyModel();
  const auto segments = SomeSegments();
  const auto whole = MakeEncoder(model)->Encode(segments);
  for (const std::int64_t batch_tokens : {1, 16, 50}) {
    const auto cut = MakeEncoder(model, batch_tokens)->Encode(segments);
    ASSERT_TRUE(cut.ok());
    ASSERT_EQ(cut->size(), segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) ExpectSame((*cut)[i], (*whole)[i]);
  }
}

TEST(Encoder, MakesOneChunkPerPoolingLengthBegun) {
  const auto model = TinyModel();
  ASSERT_EQ(model->router().pooling, 8);
  const auto encoded = MakeEncoder(model)->Encode(SomeSegments());
  ASSERT_TRUE(encoded.ok());
  std::vector<std::int64_t> chunks;
  for (const EncodedSegment& segment : *encoded) chunks.push_back(segment.chunks);
  EXPECT_THAT(chunks, testing::ElementsAre(1, 1, 1, 2, 5, 1, 8, 3));
}

TEST(Encoder, WithoutRoutersTheUpperHalfRoutesByItsOwnUnitKeys) {
  const auto model = TinyModel({.routers = false});
  EXPECT_THAT(model->router().layers, testing::ElementsAre(2, 3));
  EXPECT_EQ(model->router().source, RouterSource::kProjection);
  const std::vector<TokenSequence> segments = {TinyTokens(100)};
  const auto encoded = MakeEncoder(model)->Encode(segments);
  ASSERT_TRUE(encoded.ok());
  ASSERT_EQ(encoded->front().chunks, 2);
  for (const EncodedLayer& layer : encoded->front().layers) {
    for (std::size_t begin = 0; begin < layer.router_keys.size(); begin += 16) {
      double sum = 0;
      for (std::size_t i = 0; i < 16; ++i) {
        sum += std::pow(layer.router_keys[begin + i], 2);
      }
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

TEST(Encoder, NamesTheSegmentThatIsEmpty) {
  const std::vector<TokenSequence> segments = {TinyTokens(3), {}};
  const auto encoded = MakeEncoder(TinyModel())->Encode(segments);
  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(encoded.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(encoded.status().message(), HasSubstr("segment 1: no tokens"));
}

TEST(Encoder, RefusesATokenOutsideTheVocabulary) {
  for (const std::int32_t bad : {-1, 512}) {
    const std::vector<TokenSequence> segments = {{5, bad}};
    const auto encoded = MakeEncoder(TinyModel())->Encode(segments);
    ASSERT_FALSE(encoded.ok());
    EXPECT_THAT(encoded.status().message(), HasSubstr("outside the vocabulary of 512"));
  }
}

TEST(Encoder, RefusesMoreTokensThanTheContext) {
  const std::vector<TokenSequence> segments = {TinyTokens(4097)};
  const auto encoded = MakeEncoder(TinyModel())->Encode(segments);
  ASSERT_FALSE(encoded.ok());
  EXPECT_THAT(encoded.status().message(), HasSubstr("4096"));
}

}  // namespace
}  // namespace kvasir::model
