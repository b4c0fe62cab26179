// Stage 1 against the reference: template head, documents, pooled keys, values, router keys.
#include "model/encoder.h"
#include "model/question.h"
#include "tests/golden/variant.h"

namespace kvasir::model {
namespace {

using EncodeGolden = Golden;

std::vector<float> Host(const Model& model, compute::ConstRows rows) {
  std::vector<float> host(static_cast<std::size_t>(rows.rows * rows.cols));
  auto stream = model.backend().NewStream();
  (*stream)->Download(rows, host);
  EXPECT_TRUE((*stream)->Synchronize().ok());
  return host;
}

TEST_P(EncodeGolden, KeepsTheTemplateHeadOfEveryLayer) {
  const auto tokens = static_cast<std::int64_t>(model().template_head().size());
  for (int layer = 0; layer < model().config().layers; ++layer) {
    const std::string name = "head.layer" + std::to_string(layer);
    const compute::KeyValues head = model().weights().template_head[layer].View();
    ExpectClose(Host(model(), head.k), variant().HeadRows(name + ".k", 0, tokens), name + ".k");
    ExpectClose(Host(model(), head.v), variant().HeadRows(name + ".v", 0, tokens), name + ".v");
  }
}

TEST_P(EncodeGolden, RunsTheTemplateHeadByItself) {
  auto question = Question::Make(variant().model());
  Recorder recorder;
  (*question)->set_observer(&recorder);
  ASSERT_TRUE((*question)
                  ->Prefill({.tokens = model().template_head(), .routes = {}, .memory = nullptr})
                  .ok());
  for (int i = 1; i <= model().config().layers; ++i) {
    const std::string name = "head_hidden." + std::to_string(i);
    ExpectClose(recorder.Rows(Probe::kResidual, i - 1), variant().Tensor(name).values, name);
  }
}

TEST_P(EncodeGolden, RunsEveryDocumentAlone) {
  auto question = Question::Make(variant().model());
  Recorder recorder;
  (*question)->set_observer(&recorder);
  const std::int64_t hidden = model().config().hidden;
  std::int64_t first = 0;
  for (const auto& document : variant().Documents()) {
    ASSERT_TRUE((*question)->Prefill({.tokens = document, .routes = {}, .memory = nullptr}).ok());
    for (int i = 1; i <= model().config().layers; ++i) {
      const std::string name = "doc_hidden." + std::to_string(i);
      const std::vector<float> all = variant().Tensor(name).values;
      ExpectClose(recorder.Rows(Probe::kResidual, i - 1),
                  std::span(all).subspan(first * hidden, document.size() * hidden), name);
    }
    first += static_cast<std::int64_t>(document.size());
  }
}

TEST_P(EncodeGolden, RunsAllDocumentsInOnePackedBatch) {
  auto encoder = Encoder::Make(variant().model());
  Recorder recorder;
  (*encoder)->set_observer(&recorder);
  ASSERT_TRUE((*encoder)->Encode(variant().Documents()).ok());
  // The encoder stops behind the last routed layer's keys and values.
  for (int i = 1; i <= model().router().layers.back(); ++i) {
    const std::string name = "doc_hidden." + std::to_string(i);
    ExpectClose(recorder.Rows(Probe::kResidual, i - 1), variant().Tensor(name).values, name);
  }
}

TEST_P(EncodeGolden, PoolsKeysValuesAndRouterKeys) {
  auto encoder = Encoder::Make(variant().model());
  const auto segments = (*encoder)->Encode(variant().Documents());
  ASSERT_TRUE(segments.ok()) << segments.status().message();
  for (std::size_t i = 0; i < segments->size(); ++i) {
    const EncodedSegment& segment = (*segments)[i];
    const auto& facts = variant().facts()["documents"][i];
    ASSERT_EQ(segment.tokens, facts["tokens"].get<std::int64_t>());
    ASSERT_EQ(segment.chunks, facts["chunks"].get<std::int64_t>());
    ASSERT_EQ(segment.layers.size(), model().router().layers.size());
    const auto rows = [&](const std::string& name) {
      return variant().HeadRows(name, facts["first_chunk"], segment.chunks);
    };
    for (const EncodedLayer& layer : segment.layers) {
      const std::string name = "layer" + std::to_string(layer.layer);
      ExpectClose(layer.keys, rows(name + ".k_pooled"), name + ".k_pooled");
      ExpectClose(layer.values, rows(name + ".v_pooled"), name + ".v_pooled");
      ExpectClose(layer.router_keys, rows(name + ".router_key"), name + ".router_key");
    }
  }
}

TEST_P(EncodeGolden, WarnsWhenTrainingAndInferenceNormaliseDifferently) {
  const bool differs =
      variant().facts()["geometry"]["aux_loss_method"].get<std::string>() == "INFONCE_DECOUPLE";
  EXPECT_EQ(model().warnings().size(), differs ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Msa, EncodeGolden, kEveryVariantAndBackend, GoldenName);

}  // namespace
}  // namespace kvasir::model
