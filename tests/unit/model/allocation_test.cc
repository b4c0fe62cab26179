// Encoding, routing and decoding take no memory from the heap once warm, but for what they return.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "model/encoder.h"
#include "model/question.h"
#include "tests/support/allocations.h"
#include "tests/unit/model/tiny_model.h"

namespace kvasir::model {
namespace {

using test::AllocationsOnceWarm;

std::shared_ptr<const Model> FastModel() {
  return TinyModel({.backend = "cpu", .precision = compute::Precision::kFast});
}

TEST(ModelAllocations, EncodingAllocatesItsResultsAlone) {
  const auto model = FastModel();
  const auto encoder = Encoder::Make(model).value();
  const std::vector<TokenSequence> segments = {TinyTokens(40), TinyTokens(3), TinyTokens(120)};
  const auto layers = std::ssize(model->router().layers);
  // The list of segments; of each its layers; of each layer keys, values and router keys.
  const std::int64_t results = 1 + std::ssize(segments) * (1 + 3 * layers);
  EXPECT_EQ(AllocationsOnceWarm([&] { ASSERT_TRUE(encoder->Encode(segments).ok()); }), results);
}

TEST(ModelAllocations, RoutingAllocatesItsQueriesAlone) {
  const auto model = FastModel();
  const auto question = Question::Make(model).value();
  const TokenSequence tokens = TinyTokens(15);
  EXPECT_EQ(AllocationsOnceWarm([&] { ASSERT_TRUE(question->Route(tokens).ok()); }),
            1 + std::ssize(model->router().layers));
}

TEST(ModelAllocations, NoneInDecoding) {
  const auto model = FastModel();
  const auto question = Question::Make(model).value();
  const TokenSequence token = TinyTokens(1);
  // A context's rows double when they are full: a longer one before leaves room for this one.
  ASSERT_TRUE(question->Prefill({.tokens = TinyTokens(100)}).ok());
  ASSERT_TRUE(question->Prefill({.tokens = TinyTokens(40)}).ok());
  EXPECT_EQ(AllocationsOnceWarm([&] {
              for (int i = 0; i < 8; ++i) ASSERT_TRUE(question->Append(token).ok());
            }),
            0);
}

}  // namespace
}  // namespace kvasir::model
