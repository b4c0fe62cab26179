// The whole model against PyPI transformers on the same dequantised weights
// (scripts/make-logits-fixture): prefill, appended pieces and decoding alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "model/question.h"
#include "tests/support/source_dir.h"
#include "tests/support/test_model.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

struct Errors {
  std::size_t positions = 0;
  std::size_t same_best = 0;
  double largest_logit = 0;
  double largest_log_sum = 0;
  double log_probability = 0;  // Sum of |Δ| over `compared`.
  std::size_t compared = 0;
};

double LogSumExp(std::span<const float> logits) {
  const double best = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - best);
  return best + std::log(sum);
}

void Compare(std::span<const float> logits, const json& expected, Errors& errors) {
  const double log_sum = LogSumExp(logits);
  const double expected_sum = expected["log_sum_exp"];
  errors.largest_log_sum = std::max(errors.largest_log_sum, std::abs(log_sum - expected_sum));
  for (std::size_t i = 0; i < expected["ids"].size(); ++i) {
    const double logit = logits[expected["ids"][i].get<std::size_t>()];
    const double wanted = expected["logits"][i];
    errors.largest_logit = std::max(errors.largest_logit, std::abs(logit - wanted));
    errors.log_probability += std::abs((logit - log_sum) - (wanted - expected_sum));
    ++errors.compared;
  }
  const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  if (best == expected["ids"][0].get<std::ptrdiff_t>()) ++errors.same_best;
  ++errors.positions;
}

/// Each prompt up to its first asked position is a prefill, from there to each next one an Append.
/// Of the asked positions every `step`-th is taken, and the last.
void RunPrompt(Question& question, const json& prompt, std::size_t step, Errors& errors) {
  const std::vector<std::int32_t> tokens = prompt["tokens"];
  std::size_t done = 0;
  const std::size_t positions = prompt["positions"].size();
  for (std::size_t i = 0; i < positions; ++i) {
    if (i % step != 0 && i + 1 != positions) continue;
    const json& asked = prompt["positions"][i];
    const std::size_t end = asked["position"].get<std::size_t>() + 1;
    const auto piece = std::span(tokens).subspan(done, end - done);
    const Status status = done == 0 ? question.Prefill({.tokens = piece}) : question.Append(piece);
    ASSERT_TRUE(status.ok()) << status.message();
    Compare(question.logits(), asked, errors);
    done = end;
  }
}

Errors CompareAll(const std::filesystem::path& path, compute::Precision precision,
                  std::size_t step) {
  Errors errors;
  const json fixture = json::parse(
      std::ifstream(test::SourceDir() / "tests/fixtures/logits/smollm2-135m-q4_1.json"));
  auto backend = compute::MakeBackend({.name = "cpu", .precision = precision, .threads = 1});
  EXPECT_TRUE(backend.ok()) << backend.status().message();
  auto model = Model::Load(path.string(), *backend);
  EXPECT_TRUE(model.ok()) << model.status().message();
  if (!model.ok()) return errors;
  auto question = Question::Make(*model);
  for (const json& prompt : fixture["prompts"]) RunPrompt(**question, prompt, step, errors);
  std::printf(
      "%s: %zu positions, best equal %zu, largest |d logit| %.2e, |d lse| %.2e, "
      "mean |d log p| %.2e\n",
      (*backend)->Name().c_str(), errors.positions, errors.same_best, errors.largest_logit,
      errors.largest_log_sum, errors.log_probability / static_cast<double>(errors.compared));
  return errors;
}

// Every float32 weight is read for every piece, so fewer positions do here.
TEST(Logits, InFloat32AreThoseOfTransformers) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const Errors errors = CompareAll(path, compute::Precision::kF32, 8);
  EXPECT_EQ(errors.positions, 67U);
  EXPECT_EQ(errors.same_best, errors.positions);
  EXPECT_LE(errors.largest_logit, 1e-3);
  EXPECT_LE(errors.largest_log_sum, 1e-3);
}

TEST(Logits, OfTheFastPathAreClose) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const Errors errors = CompareAll(path, compute::Precision::kFast, 1);
  EXPECT_EQ(errors.positions, 362U);
  EXPECT_GE(errors.same_best, std::ceil(0.99 * static_cast<double>(errors.positions)));
  EXPECT_LE(errors.log_probability, 0.02 * static_cast<double>(errors.compared));
}

}  // namespace
}  // namespace kvasir::model
