// What the shipped adapter answers against the trainer's own replies (train/README.md, `attach
// --parity`): the model that was trained to answer is the model that does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/encoder.h"
#include "model/question.h"
#include "tests/support/source_dir.h"
#include "tests/support/test_model.h"
#include "tests/unit/model/shipped_model.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

TokenSequence Greedy(Question& question, std::size_t most, TokenId end) {
  TokenSequence said;
  while (said.size() < most) {
    const auto logits = question.logits();
    const auto token = static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
    if (token == end) break;
    said.push_back(token);
    EXPECT_TRUE(question.Append({&token, 1}).ok());
  }
  return said;
}

/// Replies as the fixture has them; the largest distance of a first token's logits.
double LargestError(const std::string& model_path, compute::Precision precision) {
  const json fixture =
      json::parse(std::ifstream(test::SourceDir() / "tests/fixtures/answer_parity.json"));
  const auto model = ShippedModel(model_path, precision);
  if (model == nullptr) return 1;
  const TokenId end = model->tokenizer()->FindSpecial("<|im_end|>").value();
  const auto question = Question::Make(model);
  double largest = 0;
  for (const json& one : fixture) {
    const TokenSequence prompt = one["tokens"];
    EXPECT_TRUE((*question)->Prefill({.tokens = prompt}).ok());
    for (const json& logit : one["logits"]) {
      const double got = (*question)->logits()[logit[0].get<std::size_t>()];
      largest = std::max(largest, std::abs(got - logit[1].get<double>()));
    }
    EXPECT_EQ(Greedy(**question, 24, end), one["reply_tokens"].get<TokenSequence>())
        << one["question"];
  }
  EXPECT_GE(fixture.size(), 4U);
  std::printf("%zu replies, largest |Δ| of a logit %.2g\n", fixture.size(), largest);
  return largest;
}

TEST(AnswerParity, Float32RepliesAreTheTrainers) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  EXPECT_LE(LargestError(path.string(), compute::Precision::kF32), 1e-3);
}

TEST(AnswerParity, FastRepliesAreTheTrainers) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  EXPECT_LE(LargestError(path.string(), compute::Precision::kFast), 0.05);
}

}  // namespace
}  // namespace kvasir::model
