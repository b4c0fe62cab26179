// The shipped adapter's routing scores against the trainer's own (train/README.md, `export
// --parity`): the model that was trained is the model that runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
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

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

double BestDot(const RouterQuery& query, std::span<const float> key) {
  double best = -2;
  for (std::size_t v = 0; v < query.vectors.size(); v += key.size()) {
    best = std::max(best, Dot(std::span(query.vectors).subspan(v, key.size()), key));
  }
  return best;
}

/// The largest distance of any chunk's score from the fixture's.
double LargestError(const std::string& model_path, compute::Precision precision) {
  const json fixture =
      json::parse(std::ifstream(test::SourceDir() / "tests/fixtures/adapter_parity.json"));
  const auto model = ShippedModel(model_path, precision);
  if (model == nullptr) return 1;

  std::vector<TokenSequence> documents;
  for (const json& document : fixture["documents"]) documents.push_back(document["tokens"]);
  const auto encoded = (*Encoder::Make(model))->Encode(documents);
  EXPECT_TRUE(encoded.ok()) << encoded.status().message();
  const auto question = Question::Make(model);
  double largest = 0;
  std::size_t compared = 0;
  for (std::size_t q = 0; q < fixture["questions"].size(); ++q) {
    const TokenSequence tokens = fixture["questions"][q]["tokens"];
    const auto queries = (*question)->Route(tokens);
    EXPECT_TRUE(queries.ok()) << queries.status().message();
    for (std::size_t d = 0; d < documents.size(); ++d) {
      for (std::size_t l = 0; l < queries->size(); ++l) {
        const RouterQuery& query = (*queries)[l];
        const auto dim = static_cast<std::size_t>(query.dim);
        const auto& keys = (*encoded)[d].layers[l].router_keys;
        const json& expected = fixture["cosines"][std::to_string(query.layer)][q][d];
        EXPECT_EQ(keys.size(), expected.size() * dim);
        for (std::size_t chunk = 0; chunk < expected.size(); ++chunk, ++compared) {
          const double score = BestDot(query, std::span(keys).subspan(chunk * dim, dim));
          largest = std::max(largest, std::abs(score - expected[chunk].get<double>()));
        }
      }
    }
  }
  EXPECT_GT(compared, 50U);
  std::printf("%zu routing scores, largest |Δ| %.2g\n", compared, largest);
  return largest;
}

TEST(AdapterParity, Float32ScoresAreTheTrainers) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  EXPECT_LE(LargestError(path.string(), compute::Precision::kF32), 1e-3);
}

// Weights in their file's own quantisation, changes in float32: activations alone are rounded.
TEST(AdapterParity, FastScoresAreTheTrainers) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  EXPECT_LE(LargestError(path.string(), compute::Precision::kFast), 1e-3);
}

}  // namespace
}  // namespace kvasir::model
