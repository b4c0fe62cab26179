#include "model/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "model/encoder.h"
#include "model/question.h"
#include "tests/unit/model/tiny_model.h"

namespace kvasir::model {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr std::int64_t kHidden = 64;
constexpr std::int64_t kDim = 8;

HostTensor RandomTensor(std::vector<std::int64_t> shape, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.3F);
  HostTensor tensor{.shape = std::move(shape), .values = {}};
  std::int64_t count = 1;
  for (const std::int64_t n : tensor.shape) count *= n;
  for (std::int64_t i = 0; i < count; ++i) tensor.values.push_back(normal(random));
  return tensor;
}

json Settings() {
  return {{"format", 1},
          {"base", {{"hidden", 64}, {"layers", 4}, {"sha256", "unchecked"}}},
          {"routed_layers", {1, 2}},
          {"dim", kDim},
          {"heads", 2},
          {"pooling", 8},
          {"query_reduce", "mean"},
          {"chunk_reduce", "max"},
          {"skip_first_token", true},
          {"query_template", {{"prefix", "<|im_start|>"}, {"suffix", "?"}}},
          {"document_template", {{"prefix", "<|im_start|>"}}},
          {"layer_weights", {0.25, 0.75}},
          {"fusion", {{"lexical", 1.0}, {"latent", {{"weight", 0.5}, {"note", "none"}}}}}};
}

HostTensors Routers() {
  HostTensors tensors;
  std::uint32_t seed = 1;
  for (const std::string layer : {"layers.1", "layers.2"}) {
    for (const std::string side : {".router_q", ".router_k"}) {
      tensors[layer + side + ".weight"] = RandomTensor({kDim, kHidden}, seed++);
      tensors[layer + side + ".bias"] = RandomTensor({kDim}, seed++);
    }
  }
  return tensors;
}

class AdapterTest : public testing::Test {
 protected:
  std::string Write(const json& settings, const HostTensors& tensors) {
    const auto path = folder_.path() / "adapter.safetensors";
    WriteSafetensors(path, tensors, {{"kvasir_adapter", settings.dump()}});
    return path.string();
  }
  /// The error of loading the tiny model with this adapter; empty when there is none.
  std::string ErrorOf(const json& settings, const HostTensors& tensors) {
    return LoadTinyModel({.adapter = Write(settings, tensors)}).status().message();
  }

  TestFolder folder_;
};

/// Keeps the residual stream in front of layers, to compute router vectors from the definition.
class Streams final : public Observer {
 public:
  void See(Probe probe, std::int32_t layer, std::span<const float> rows, std::int64_t) override {
    if (probe == Probe::kResidual) before[layer + 1].assign(rows.begin(), rows.end());
  }
  std::map<std::int32_t, std::vector<float>> before;
};

/// W norm(h) + b for every token, in double, from the file's own tensors.
std::vector<std::vector<double>> Project(const Streams& streams, std::int32_t layer,
                                         const HostTensors& adapter, const std::string& side) {
  static const HostTensors weights = TinyWeights();
  const std::string number = std::to_string(layer);
  const auto& norm = weights.at("model.layers." + number + ".input_layernorm.weight").values;
  const auto& w = adapter.at("layers." + number + side + ".weight").values;
  const auto& b = adapter.at("layers." + number + side + ".bias").values;
  const auto& h = streams.before.at(layer);
  std::vector<std::vector<double>> out;
  for (std::size_t row = 0; row < h.size() / kHidden; ++row) {
    double squares = 0;
    for (std::int64_t i = 0; i < kHidden; ++i) squares += std::pow(h[row * kHidden + i], 2);
    const double factor = 1 / std::sqrt(squares / kHidden + 1e-6);
    std::vector<double> y(b.begin(), b.end());
    for (std::int64_t o = 0; o < kDim; ++o) {
      for (std::int64_t i = 0; i < kHidden; ++i) {
        y[o] += double{w[o * kHidden + i]} * norm[i] * h[row * kHidden + i] * factor;
      }
    }
    out.push_back(std::move(y));
  }
  return out;
}

/// Mean of rows [begin, end), each of the two heads made a unit vector and scaled.
std::vector<float> UnitMean(const std::vector<std::vector<double>>& rows, std::size_t begin,
                            std::size_t end, double scale) {
  std::vector<double> mean(kDim);
  for (std::size_t row = begin; row < end; ++row) {
    for (std::int64_t i = 0; i < kDim; ++i) mean[i] += rows[row][i];
  }
  std::vector<float> out(kDim);
  for (std::int64_t head = 0; head < 2; ++head) {
    double squares = 0;
    for (std::int64_t i = 0; i < 4; ++i) squares += std::pow(mean[head * 4 + i], 2);
    for (std::int64_t i = 0; i < 4; ++i) {
      out[head * 4 + i] = static_cast<float>(scale * mean[head * 4 + i] / std::sqrt(squares));
    }
  }
  return out;
}

TEST_F(AdapterTest, SaysHowItRoutesAndFrames) {
  const auto model = TinyModel({.adapter = Write(Settings(), Routers())});
  ASSERT_NE(model, nullptr);
  const RouterSpec& router = model->router();
  EXPECT_THAT(router.layers, ElementsAre(1, 2));
  EXPECT_THAT(router.layer_weights, ElementsAre(0.25F, 0.75F));
  EXPECT_EQ(router.dim(), kDim);
  EXPECT_EQ(router.pooling, 8);
  EXPECT_TRUE(router.mean_before_unit);
  EXPECT_TRUE(router.skip_first_token);
  EXPECT_FALSE(router.route_behind_head);
  ASSERT_NE(model->adapter(), nullptr);
  EXPECT_EQ(model->adapter()->query_template.suffix, "?");
  EXPECT_EQ(model->adapter()->document_template.prefix, "<|im_start|>");
  EXPECT_EQ(model->adapter()->fusion.at("lexical"), 1.0);
  EXPECT_EQ(model->adapter()->fusion.at("latent.weight"), 0.5);
}

TEST_F(AdapterTest, RouterKeysFollowTheDefinition) {
  const HostTensors tensors = Routers();
  const auto model = TinyModel({.adapter = Write(Settings(), tensors)});
  auto encoder = Encoder::Make(model);
  Streams streams;
  (*encoder)->set_observer(&streams);
  const std::vector<TokenSequence> segments = {TinyTokens(13)};
  const auto encoded = (*encoder)->Encode(segments);
  ASSERT_TRUE(encoded.ok());
  for (const EncodedLayer& layer : encoded->front().layers) {
    const auto rows = Project(streams, layer.layer, tensors, ".router_k");
    std::vector<float> expected = UnitMean(rows, 1, 8, 1);  // Without the first token.
    const std::vector<float> second = UnitMean(rows, 8, 13, 1);
    expected.insert(expected.end(), second.begin(), second.end());
    EXPECT_THAT(layer.router_keys, Pointwise(FloatNear(1e-5F), expected));
  }
}

TEST_F(AdapterTest, QueriesFollowTheDefinition) {
  const HostTensors tensors = Routers();
  const auto model = TinyModel({.adapter = Write(Settings(), tensors)});
  auto question = Question::Make(model);
  Streams streams;
  (*question)->set_observer(&streams);
  const auto queries = (*question)->Route(TinyTokens(11));
  ASSERT_TRUE(queries.ok());
  ASSERT_EQ(queries->size(), 2U);
  for (const RouterQuery& query : *queries) {
    const auto rows = Project(streams, query.layer, tensors, ".router_q");
    EXPECT_THAT(query.vectors, Pointwise(FloatNear(1e-5F), UnitMean(rows, 1, 11, 0.5)));
  }
}

/// W += b · a.
void Merge(const HostTensor& a, const HostTensor& b, HostTensor& w) {
  const std::int64_t rank = a.shape[0];
  const std::int64_t in = a.shape[1];
  for (std::int64_t row = 0; row < b.shape[0]; ++row) {
    for (std::int64_t r = 0; r < rank; ++r) {
      for (std::int64_t col = 0; col < in; ++col) {
        w.values[row * in + col] += b.values[row * rank + r] * a.values[r * in + col];
      }
    }
  }
}

/// A change of rank 3 of the model's tensor `name`: in the adapter as `projection`, and merged.
void AddChange(const std::string& projection, const std::string& name, std::uint32_t seed,
               HostTensors& adapter, HostTensors& weights) {
  HostTensor& w = weights[name];
  const HostTensor a = RandomTensor({3, w.shape[1]}, seed);
  const HostTensor b = RandomTensor({w.shape[0], 3}, seed + 1);
  Merge(a, b, w);
  adapter[projection + ".lora_a"] = a;
  adapter[projection + ".lora_b"] = b;
}

// The first part of one fused projection, the last of another: both must hit their own outputs.
TEST_F(AdapterTest, LowRankUpdatesChangeWhatIsRememberedAndAsked) {
  HostTensors tensors = Routers();
  HostTensors weights = TinyWeights();
  AddChange("layers.1.attn_q", "model.layers.1.self_attn.q_proj.weight", 20, tensors, weights);
  AddChange("layers.1.ffn_up", "model.layers.1.mlp.up_proj.weight", 22, tensors, weights);
  const auto adapted = TinyModel({.adapter = Write(Settings(), tensors)});
  ASSERT_NE(adapted, nullptr);
  TestFolder changed;
  WriteSafetensors(changed.path() / "model.safetensors", weights, {});
  const auto by_hand =
      TinyModel({.adapter = Write(Settings(), Routers()), .folder = changed.path()});

  const auto tokens = TinyTokens(9);
  const auto queries = (*Question::Make(adapted))->Route(tokens);
  const auto expected_queries = (*Question::Make(by_hand))->Route(tokens);
  ASSERT_TRUE(queries.ok() && expected_queries.ok());
  EXPECT_THAT(queries->back().vectors,
              Pointwise(FloatNear(1e-4F), expected_queries->back().vectors));
  const std::vector<TokenSequence> segments = {tokens};
  const auto encoded = (*Encoder::Make(adapted))->Encode(segments);
  const auto expected = (*Encoder::Make(by_hand))->Encode(segments);
  ASSERT_TRUE(encoded.ok() && expected.ok());
  const EncodedLayer& last = encoded->front().layers.back();
  EXPECT_THAT(last.values, Pointwise(FloatNear(1e-4F), expected->front().layers.back().values));
  EXPECT_THAT(last.router_keys,
              Pointwise(FloatNear(1e-4F), expected->front().layers.back().router_keys));
  EXPECT_NE(adapted->fingerprint(),
            TinyModel({.adapter = Write(Settings(), Routers())})->fingerprint());
}

TEST_F(AdapterTest, LowRankUpdatesLeaveGenerationAlone) {
  HostTensors tensors = Routers();
  tensors["layers.1.attn_q.lora_a"] = RandomTensor({3, kHidden}, 20);
  tensors["layers.1.attn_q.lora_b"] = RandomTensor({kHidden, 3}, 21);
  const auto adapted = TinyModel({.adapter = Write(Settings(), tensors)});
  const auto base = TinyModel({});
  const auto tokens = TinyTokens(9);
  auto first = Question::Make(adapted);
  auto second = Question::Make(base);
  ASSERT_TRUE((*first)->Prefill({.tokens = tokens}).ok());
  ASSERT_TRUE((*second)->Prefill({.tokens = tokens}).ok());
  EXPECT_THAT((*first)->logits(), Pointwise(FloatNear(0), (*second)->logits()));
}

// Behind the last routed layer too, and no memory has to be encoded anew for it.
TEST_F(AdapterTest, ChangesForAnswersChangeGenerationAlone) {
  HostTensors tensors = Routers();
  HostTensors weights = TinyWeights();
  AddChange("answer.layers.1.attn_q", "model.layers.1.self_attn.q_proj.weight", 20, tensors,
            weights);
  AddChange("answer.layers.3.ffn_up", "model.layers.3.mlp.up_proj.weight", 22, tensors, weights);
  const auto plain = TinyModel({.adapter = Write(Settings(), Routers())});
  const auto taught = TinyModel({.adapter = Write(Settings(), tensors)});
  ASSERT_TRUE(plain != nullptr && taught != nullptr);
  EXPECT_EQ(taught->fingerprint(), plain->fingerprint());
  TestFolder changed;
  WriteSafetensors(changed.path() / "model.safetensors", weights, {});
  const auto by_hand = TinyModel({.folder = changed.path()});

  const auto tokens = TinyTokens(9);
  const auto said = Question::Make(taught);
  const auto expected = Question::Make(by_hand);
  ASSERT_TRUE((*said)->Prefill({.tokens = tokens}).ok());
  ASSERT_TRUE((*expected)->Prefill({.tokens = tokens}).ok());
  EXPECT_THAT((*said)->logits(), Pointwise(FloatNear(1e-4F), (*expected)->logits()));
  ASSERT_TRUE((*said)->Append({&tokens[3], 1}).ok());
  ASSERT_TRUE((*expected)->Append({&tokens[3], 1}).ok());
  EXPECT_THAT((*said)->logits(), Pointwise(FloatNear(1e-4F), (*expected)->logits()));

  const auto queries = (*Question::Make(taught))->Route(tokens);
  const auto expected_queries = (*Question::Make(plain))->Route(tokens);
  ASSERT_TRUE(queries.ok() && expected_queries.ok());
  EXPECT_EQ(queries->back().vectors, expected_queries->back().vectors);
  const std::vector<TokenSequence> segments = {tokens};
  const auto encoded = (*Encoder::Make(taught))->Encode(segments);
  const auto expected_segments = (*Encoder::Make(plain))->Encode(segments);
  ASSERT_TRUE(encoded.ok() && expected_segments.ok());
  EXPECT_EQ(encoded->front().layers.back().values, expected_segments->front().layers.back().values);
}

TEST_F(AdapterTest, RefusesAChangeThatNothingWouldUse) {
  HostTensors tensors = Routers();
  tensors["layers.3.attn_q.lora_a"] = RandomTensor({3, kHidden}, 20);
  tensors["layers.3.attn_q.lora_b"] = RandomTensor({kHidden, 3}, 21);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("layer 3, behind the last routed layer 2"));
}

TEST_F(AdapterTest, RefusesWhatIsNoAdapter) {
  const auto model = LoadTinyModel({.adapter = (TinyFolder() / "model.safetensors").string()});
  EXPECT_EQ(model.status().code(), StatusCode::kCorruption);
  EXPECT_THAT(model.status().message(), HasSubstr("not a kvasir adapter"));
  EXPECT_EQ(LoadTinyModel({.adapter = (folder_.path() / "none").string()}).status().code(),
            StatusCode::kNotFound);
}

TEST_F(AdapterTest, RefusesAnotherBase) {
  json settings = Settings();
  settings["base"]["hidden"] = 576;
  const auto model = LoadTinyModel({.adapter = Write(settings, Routers())});
  EXPECT_EQ(model.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(model.status().message(), HasSubstr("hidden 576"));
}

TEST_F(AdapterTest, RefusesSettingsThatContradictThemselves) {
  const std::pair<const char*, json> bad[] = {
      {"format", 2},
      {"dim", 10},
      {"dim", 1 << 30},
      {"heads", 3},
      {"heads", 0},
      {"pooling", 0},
      {"routed_layers", json::array()},
      {"routed_layers", {2, 1}},
      {"routed_layers", {1, 4}},
      {"routed_layers", {-1}},
      {"routed_layers", {"1"}},
      {"query_reduce", "median"},
      {"chunk_reduce", 5},
      {"skip_first_token", "yes"},
      {"query_template", "text"},
      {"layer_weights", {1}},
      {"layer_weights", {1, "2"}},
  };
  for (const auto& [key, value] : bad) {
    json settings = Settings();
    settings[key] = value;
    EXPECT_THAT(ErrorOf(settings, Routers()), HasSubstr(key)) << value.dump();
  }
}

TEST_F(AdapterTest, RefusesTensorsOfAnotherShape) {
  HostTensors tensors = Routers();
  tensors.erase("layers.2.router_k.weight");
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("layers.2.router_k.weight"));
  tensors = Routers();
  tensors["layers.1.router_q.weight"] = RandomTensor({kDim, 32}, 1);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("8 × 32"));
  tensors = Routers();
  tensors["layers.1.router_q.bias"] = RandomTensor({7}, 1);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("router_q.bias"));
  tensors = Routers();
  tensors["layers.0.ffn_down.lora_a"] = RandomTensor({2, 128}, 1);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("layers.0.ffn_down.lora_b"));
  tensors["layers.0.ffn_down.lora_b"] = RandomTensor({64, 3}, 1);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("64 × 2"));
  tensors = Routers();
  tensors["answer.layers.3.ffn_down.lora_a"] = RandomTensor({2, 128}, 1);
  EXPECT_THAT(ErrorOf(Settings(), tensors), HasSubstr("answer.layers.3.ffn_down.lora_b"));
}

TEST_F(AdapterTest, BiasesAreOptional) {
  HostTensors tensors = Routers();
  tensors.erase("layers.1.router_q.bias");
  tensors.erase("layers.2.router_k.bias");
  EXPECT_EQ(ErrorOf(Settings(), tensors), "");
}

}  // namespace
}  // namespace kvasir::model
