// feature_dump MODEL ADAPTER OUT < ROWS: the engine's own router vectors, for training on top of
// them (train/README.md). In: rows {"title","text"}, a document, or {"question"}. Out, row by row:
//   OUT.vectors  float32, of each chunk (of a question: of each query vector) [layers, router dim]
//   OUT.rows     one line of JSON a row: {"tokens": [[token, ...] of each chunk, or of the
//   question]}
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/framing.h"
#include "compute/backend.h"
#include "model/encoder.h"
#include "model/model.h"
#include "model/question.h"
#include "tests/bench/must.h"

namespace kvasir {
namespace {

using bench::Must;
using nlohmann::json;

// What is encoded in one call: enough for full batches.
constexpr std::size_t kBatch = 64;

class Dump {
 public:
  Dump(std::shared_ptr<const model::Model> model, const std::string& out)
      : model_(std::move(model)),
        framing_(Must(agent::Framing::Make(*model_))),
        encoder_(Must(model::Encoder::Make(model_))),
        question_(Must(model::Question::Make(model_))),
        vectors_(out + ".vectors", std::ios::binary),
        rows_(out + ".rows") {}

  void Add(const json& row) {
    if (row.contains("question")) {
      Flush();
      AddQuestion(row["question"].get<std::string>());
      return;
    }
    documents_.push_back(Must(framing_.Segment(1, row.value("title", ""), row.value("text", ""))));
    if (documents_.size() == kBatch) Flush();
  }

  void Flush() {
    const auto encoded = Must(encoder_->Encode(documents_));
    for (std::size_t i = 0; i < encoded.size(); ++i) WriteDocument(documents_[i], encoded[i]);
    documents_.clear();
  }

 private:
  void AddQuestion(const std::string& text) {
    const model::TokenSequence tokens = Must(framing_.Question(text));
    const std::vector<model::RouterQuery> layers = Must(question_->Route(tokens));
    for (std::int64_t v = 0; v < layers.front().count; ++v) {
      for (const model::RouterQuery& layer : layers) Write(layer.vectors, v, layer.dim);
    }
    rows_ << json{{"vectors", layers.front().count}, {"tokens", {tokens}}}.dump() << '\n';
  }

  void WriteDocument(const model::TokenSequence& tokens, const model::EncodedSegment& segment) {
    json chunks = json::array();
    for (std::int64_t c = 0; c < segment.chunks; ++c) {
      for (const model::EncodedLayer& layer : segment.layers) {
        Write(layer.router_keys, c, model_->router().dim());
      }
      const auto begin = tokens.begin() + c * model_->router().pooling;
      const auto length = std::min<std::int64_t>(model_->router().pooling, tokens.end() - begin);
      chunks.push_back(model::TokenSequence(begin, begin + length));
    }
    rows_ << json{{"vectors", segment.chunks}, {"tokens", chunks}}.dump() << '\n';
  }

  void Write(const std::vector<float>& rows, std::int64_t row, std::int64_t dim) {
    vectors_.write(reinterpret_cast<const char*>(rows.data() + row * dim),
                   static_cast<std::streamsize>(dim * sizeof(float)));
  }

  std::shared_ptr<const model::Model> model_;
  agent::Framing framing_;
  std::unique_ptr<model::Encoder> encoder_;
  std::unique_ptr<model::Question> question_;
  std::ofstream vectors_;
  std::ofstream rows_;
  std::vector<model::TokenSequence> documents_;
};

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) {
  using kvasir::bench::Must;
  if (argc != 4) {
    std::fprintf(stderr, "usage: feature_dump MODEL ADAPTER OUT < ROWS\n");
    return 2;
  }
  // One thread: questions are too short for two; run one process per core.
  auto backend = Must(kvasir::compute::MakeBackend({.name = {}, .threads = 1}));
  kvasir::Dump dump(
      Must(kvasir::model::Model::Load(argv[1], std::move(backend), {.adapter = argv[2]})), argv[3]);
  for (std::string line; std::getline(std::cin, line);) {
    dump.Add(nlohmann::json::parse(line));
  }
  dump.Flush();
  return 0;
}
