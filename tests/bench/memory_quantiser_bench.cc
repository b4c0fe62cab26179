// memory_quantiser_bench MODEL ADAPTER|none ROWS.jsonl [SEGMENTS [QUESTIONS]]: what rounding a
// memory to int8 or bf16 costs against float32, on real text. Rows are question rows as `kvasir
// eval` reads them, {"question", "positives": [{"title", "text"}]}; their positives, cut to one
// segment each, are the memory. Per quantiser and routed layer: how many of float32's best 16
// segments are found; and, with the 16 (each quantiser its own) attended to, how far the logits
// behind the question move. A table in Markdown.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "agent/framing.h"
#include "agent/segmenter.h"
#include "compute/backend.h"
#include "compute/quantise.h"
#include "compute/route.h"
#include "model/encoder.h"
#include "model/model.h"
#include "model/question.h"
#include "tests/bench/must.h"

namespace kvasir {
namespace {

using bench::Die;
using bench::Must;
using compute::TensorType;

constexpr std::int64_t kBest = 16;

struct Texts {
  std::vector<model::TokenSequence> segments;
  std::vector<model::TokenSequence> questions;
};

Texts ReadTexts(const char* path, const agent::Framing& framing, std::size_t segments,
                std::size_t questions) {
  std::ifstream file(path);
  if (!file) Die(NotFound(std::string("cannot read ") + path));
  Texts texts;
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line) && texts.segments.size() < segments;) {
    const auto row = nlohmann::json::parse(line);
    for (const auto& positive : row["positives"]) {
      const std::string text = positive["text"];
      if (texts.segments.size() == segments || !seen.insert(text).second) continue;
      auto tokens = Must(framing.Segment(texts.segments.size(), positive.value("title", ""), text));
      tokens.resize(std::min<std::size_t>(tokens.size(), agent::kSegmentTokens));
      texts.segments.push_back(std::move(tokens));
    }
    if (texts.questions.size() < questions) {
      texts.questions.push_back(Must(framing.Question(row["question"].get<std::string>())));
    }
  }
  return texts;
}

/// `rows` as they come back after packing.
std::vector<float> Rounded(TensorType type, const std::vector<float>& rows, std::int64_t dim) {
  const std::int64_t count = std::ssize(rows) / dim;
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(count * compute::PackedRowBytes(type, dim)));
  std::vector<float> scales(static_cast<std::size_t>(compute::PackedScales(type, count)));
  std::vector<float> out(rows.size());
  for (const Status& status : {compute::PackRows(type, rows, dim, bytes, scales),
                               compute::UnpackRows(type, bytes, scales, dim, out)}) {
    if (!status.ok()) Die(status);
  }
  return out;
}

/// A memory in one quantisation, selected from and attended to.
class Memory final : public model::MemoryProvider {
 public:
  Memory(const model::Model& model, TensorType type,
         const std::vector<model::EncodedSegment>& segments)
      : router_(model.router()) {
    const auto layers = static_cast<std::int64_t>(router_.layers.size());
    index_ = Must(compute::RouteIndex::Make(
        {.layers = layers, .dim = router_.dim(), .keys = compute::RouteKeys::kF32}));
    for (const model::EncodedSegment& segment : segments) {
      model::EncodedSegment rounded{
          .tokens = segment.tokens, .chunks = segment.chunks, .layers = {}};
      std::vector<float> router_keys;
      for (const model::EncodedLayer& layer : segment.layers) {
        const auto keys = Rounded(type, layer.router_keys, router_.dim());
        router_keys.insert(router_keys.end(), keys.begin(), keys.end());
        rounded.layers.push_back({.layer = layer.layer,
                                  .keys = Rounded(type, layer.keys, model.key_value_dim()),
                                  .values = Rounded(type, layer.values, model.key_value_dim()),
                                  .router_keys = {}});
      }
      Must(index_->Append({.id = segments_.size(),
                           .chunks = segment.chunks,
                           .codes = {},
                           .scales = {},
                           .keys = router_keys}));
      segments_.push_back(std::move(rounded));
    }
    scores_.resize(index_->Ordinals());
  }

  /// Numbers of the best segments by one layer.
  std::vector<std::uint64_t> Best(const model::RouterQuery& query) {
    const compute::RouteQuery route{.layer = router_.IndexOf(query.layer),
                                    .queries = query.vectors,
                                    .query_reduce = compute::QueryReduce::kMax,
                                    .chunk_reduce = router_.chunk_reduce,
                                    .threads = 1};
    if (const Status status = index_->Scan(route, scores_); !status.ok()) Die(status);
    std::vector<compute::RouteHit> hits;
    index_->TopK(scores_, kBest, nullptr, &hits);
    std::vector<std::uint64_t> best;
    for (const compute::RouteHit& hit : hits) best.push_back(hit.id);
    std::sort(best.begin(), best.end());
    return best;
  }

  Status Select(const model::RouterQuery& query, std::vector<model::MemoryBlock>& blocks) override {
    const std::int64_t index = router_.IndexOf(query.layer);
    for (const std::uint64_t number : Best(query)) {
      const model::EncodedLayer& layer = segments_[number].layers[index];
      blocks.push_back({.keys = layer.keys, .values = layer.values});
    }
    return Status::Ok();
  }

 private:
  const model::RouterSpec& router_;
  std::unique_ptr<compute::RouteIndex> index_;
  std::vector<model::EncodedSegment> segments_;
  std::vector<float> scores_;
};

struct Moved {
  double largest = 0;
  double sum = 0;
  std::size_t numbers = 0;
  std::size_t same_token = 0;

  void Add(std::span<const float> exact, std::span<const float> rounded) {
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double error = std::abs(double{exact[i]} - rounded[i]);
      largest = std::max(largest, error);
      sum += error;
    }
    numbers += exact.size();
    same_token += std::max_element(exact.begin(), exact.end()) - exact.begin() ==
                  std::max_element(rounded.begin(), rounded.end()) - rounded.begin();
  }
};

std::vector<float> LogitsBehind(model::Question& question, const model::TokenSequence& tokens,
                                Memory& memory) {
  const Status status = question.Prefill({.tokens = tokens, .routes = {}, .memory = &memory});
  if (!status.ok()) Die(status);
  return {question.logits().begin(), question.logits().end()};
}

void Compare(const char* name, model::Question& question, const model::Model& model,
             const Texts& texts, Memory& exact, Memory& rounded) {
  std::vector<std::size_t> found(model.router().layers.size());
  std::size_t best = 0;
  Moved moved;
  for (const model::TokenSequence& tokens : texts.questions) {
    const auto queries = Must(question.Route(tokens));
    for (std::size_t layer = 0; layer < queries.size(); ++layer) {
      const auto wanted = exact.Best(queries[layer]);
      const auto got = rounded.Best(queries[layer]);
      std::vector<std::uint64_t> both;
      std::set_intersection(wanted.begin(), wanted.end(), got.begin(), got.end(),
                            std::back_inserter(both));
      found[layer] += both.size();
      if (layer == 0) best += wanted.size();
    }
    moved.Add(LogitsBehind(question, tokens, exact), LogitsBehind(question, tokens, rounded));
  }
  for (std::size_t layer = 0; layer < found.size(); ++layer) {
    std::printf("| %s | %d | %.2f %% |", name, model.router().layers[layer],
                100.0 * static_cast<double>(found[layer]) / static_cast<double>(best));
    if (layer > 0) {
      std::printf(" | | |\n");
      continue;
    }
    std::printf(" %.2g | %.2g | %zu of %zu |\n", moved.largest,
                moved.sum / static_cast<double>(moved.numbers), moved.same_token,
                texts.questions.size());
  }
}

int Run(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: memory_quantiser_bench MODEL ADAPTER|none ROWS.jsonl [SEGMENTS "
                 "[QUESTIONS]]\n");
    return 2;
  }
  const std::string adapter = std::string(argv[2]) == "none" ? "" : argv[2];
  const auto segments = static_cast<std::size_t>(argc > 4 ? std::atoi(argv[4]) : 1000);
  const auto questions = static_cast<std::size_t>(argc > 5 ? std::atoi(argv[5]) : 200);
  const auto model = Must(model::Model::Load(argv[1], Must(compute::MakeBackend({.name = "cpu"})),
                                             {.adapter = adapter}));
  const auto framing = Must(agent::Framing::Make(*model));
  const Texts texts = ReadTexts(argv[3], framing, segments, questions);
  const auto encoded = Must(Must(model::Encoder::Make(model))->Encode(texts.segments));
  const auto question = Must(model::Question::Make(model));
  Memory exact(*model, TensorType::kF32, encoded);
  Memory half(*model, TensorType::kBF16, encoded);
  Memory bytes(*model, TensorType::kI8, encoded);
  std::printf("%zu segments, %zu questions\n\n", texts.segments.size(), texts.questions.size());
  std::printf("| memory | layer | best 16 found | largest logit change | mean | same token |\n");
  std::printf("|---|---|---|---|---|---|\n");
  Compare("bf16", *question, *model, texts, exact, half);
  Compare("int8", *question, *model, texts, exact, bytes);
  return 0;
}

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) { return kvasir::Run(argc, argv); }
