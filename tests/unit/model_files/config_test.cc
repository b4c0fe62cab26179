#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "model/gguf.h"
#include "tests/support/test_model.h"
#include "tests/unit/model_files/gguf_writer.h"

namespace kvasir::model {
namespace {

using ::kvasir::testing::AsBytes;
using ::kvasir::testing::GgufWriter;
using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json MsaCheckpoint() {
  return json::parse(R"({
    "model_type": "msa", "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 128, "vocab_size": 512,
    "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
    "rope_scaling": null, "tie_word_embeddings": true, "hidden_act": "silu",
    "use_sliding_window": false, "sliding_window": false,
    "msa_config": {"router_layer_idx": "1, 3", "top_k_docs": 3, "pooling_kernel_size": 8,
      "head_reduce_method": "mean", "query_reduce_method": "max", "chunk_reduce_method": "max",
      "decouple_router": true, "aux_loss_method": "INFONCE"}})");
}

Result<ModelConfig> Changed(const std::function<void(json&)>& change) {
  json checkpoint = MsaCheckpoint();
  change(checkpoint);
  return ConfigFromJson(checkpoint.dump(), "config.json");
}

void ExpectRefused(const std::function<void(json&)>& change, std::string_view reason) {
  const auto config = Changed(change);
  ASSERT_FALSE(config.ok()) << reason;
  EXPECT_THAT(config.status().message(), HasSubstr("config.json: "));
  EXPECT_THAT(config.status().message(), HasSubstr(std::string(reason)));
}

TEST(ConfigFromJson, ReadsAnMsaCheckpoint) {
  const auto config = Changed([](json&) {});
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->architecture, Architecture::kMsa);
  EXPECT_EQ(config->query_width(), 128);
  EXPECT_EQ(config->kv_width(), 64);
  EXPECT_TRUE(config->has_qk_norm());
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_EQ(config->rope, (RopeConfig{1e6, 32, RopeLayout::kHalf}));
  EXPECT_THAT(config->msa->routed_layers, ElementsAre(1, 3));
  EXPECT_TRUE(config->msa->Routes(3));
  EXPECT_FALSE(config->msa->Routes(2));
  EXPECT_EQ(config->msa->top_k_docs, 3);
  EXPECT_EQ(config->msa->pooling, 8);
}

TEST(ConfigFromJson, RoutesAllLayersWhenAsked) {
  const auto config = Changed([](json& c) { c["msa_config"]["router_layer_idx"] = "all"; });
  ASSERT_TRUE(config.ok());
  EXPECT_THAT(config->msa->routed_layers, ElementsAre(0, 1, 2, 3));
}

TEST(ConfigFromJson, RefusesWhatItCannotRun) {
  ExpectRefused([](json& c) { c["model_type"] = "mamba"; }, "\"mamba\", which is not supported");
  ExpectRefused([](json& c) { c.erase("model_type"); }, "no \"model_type\"");
  ExpectRefused([](json& c) { c["rope_scaling"] = {{"rope_type", "yarn"}}; }, "\"yarn\"");
  ExpectRefused([](json& c) { c["rope_scaling"] = {{"type", "linear"}}; }, "\"linear\"");
  ExpectRefused([](json& c) { c["use_sliding_window"] = true; }, "use_sliding_window");
  ExpectRefused([](json& c) { c["attention_bias"] = true; }, "attention_bias");
  ExpectRefused([](json& c) { c["hidden_act"] = "gelu"; }, "\"gelu\"");
  ExpectRefused([](json& c) { c["partial_rotary_factor"] = 0.5; }, "partial_rotary_factor");
}

TEST(ConfigFromJson, RefusesNumbersOutOfRange) {
  ExpectRefused([](json& c) { c["num_hidden_layers"] = 0; }, "number of layers 0");
  ExpectRefused([](json& c) { c["num_hidden_layers"] = -1; }, "natural number");
  ExpectRefused([](json& c) { c["num_hidden_layers"] = 2000000000; }, "number of layers");
  ExpectRefused([](json& c) { c["hidden_size"] = 1e9; }, "natural number");
  ExpectRefused([](json& c) { c["hidden_size"] = 4294967296; }, "natural number");
  ExpectRefused([](json& c) { c.erase("vocab_size"); }, "no \"vocab_size\"");
  ExpectRefused([](json& c) { c["num_key_value_heads"] = 3; }, "cannot share 3");
  ExpectRefused([](json& c) { c["head_dim"] = 31; }, "odd");
  ExpectRefused([](json& c) { c["rms_norm_eps"] = 0; }, "epsilon");
  ExpectRefused([](json& c) { c["rope_theta"] = 0.5; }, "RoPE base");
  ExpectRefused([](json& c) { c["rope_theta"] = "x"; }, "not a number");
}

TEST(ConfigFromJson, RefusesWrongRouters) {
  const auto msa = [](std::string_view key, const json& value, std::string_view reason) {
    ExpectRefused([&](json& c) { c["msa_config"][std::string(key)] = value; }, reason);
  };
  msa("router_layer_idx", "1,4", "below 4");
  msa("router_layer_idx", "3,1", "ascending");
  msa("router_layer_idx", "1,1", "ascending");
  msa("router_layer_idx", "", "joined by commas");
  msa("router_layer_idx", "1,", "joined by commas");
  msa("router_layer_idx", "-1", "ascending");
  msa("router_layer_idx", json::array({1, 2}), "not a string");
  msa("top_k_docs", 0, "top_k_docs 0");
  msa("pooling_kernel_size", 0, "pooling 0");
  msa("head_reduce_method", "median", "\"median\"");
  msa("query_reduce_method", "min", "\"min\"");
  msa("decouple_router", 1, "true or false");
  ExpectRefused([](json& c) { c.erase("msa_config"); }, "no \"msa_config\"");
}

TEST(MsaConfig, ScoresAsTheReferenceDoesAtInference) {
  const auto of = [](const char* method, bool decouple) {
    MsaConfig msa;
    msa.aux_loss_method = method;
    msa.decouple_router = decouple;
    return msa;
  };
  EXPECT_TRUE(of("INFONCE", true).cosine());
  EXPECT_FALSE(of("INFONCE", true).scaled());
  EXPECT_TRUE(of("INFONCE", false).cosine());
  EXPECT_TRUE(of("INFONCE", false).scaled());
  EXPECT_FALSE(of("INFONCE_DECOUPLE", true).cosine());
  EXPECT_TRUE(of("INFONCE_DECOUPLE", true).scaled());
  EXPECT_TRUE(of("INFONCE_DECOUPLE", true).trained_as_cosine_but_inferred_as_dot());
  EXPECT_FALSE(of("INFONCE", true).trained_as_cosine_but_inferred_as_dot());
  EXPECT_FALSE(of("MSE", true).trained_as_cosine_but_inferred_as_dot());
}

TEST(MsaConfig, RoutesTheUpperHalfByDefault) {
  EXPECT_THAT(UpperHalfRouting(5).routed_layers, ElementsAre(2, 3, 4));
  EXPECT_EQ(UpperHalfRouting(30).routed_layers.front(), 15);
  EXPECT_FALSE(UpperHalfRouting(30).decouple_router);
}

GgufWriter SmallGguf(std::string_view architecture = "llama") {
  const std::string prefix = std::string(architecture) + ".";
  GgufWriter w;
  w.Text("general.architecture", architecture);
  w.U32(prefix + "embedding_length", 8).U32(prefix + "block_count", 2);
  w.U32(prefix + "feed_forward_length", 16).U32(prefix + "context_length", 64);
  w.U32(prefix + "attention.head_count", 2).U32(prefix + "attention.head_count_kv", 1);
  w.F32(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
  w.Tensor("token_embd.weight", {8, 3}, 0, 0);
  w.data = std::string(8 * 3 * 4, '\0');
  return w;
}

Result<ModelConfig> Read(const GgufWriter& w) {
  const std::string bytes = w.Bytes();
  const auto file = GgufFile::Parse(AsBytes(bytes), "x.gguf");
  if (!file.ok()) return file.status();
  return ConfigFromGguf(**file);
}

TEST(ConfigFromGguf, ReadsALlamaWithInterleavedRope) {
  const auto config = Read(SmallGguf());
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->head_dim, 4);
  EXPECT_EQ(config->vocab, 3);
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_EQ(config->rope, (RopeConfig{10000.0, 4, RopeLayout::kInterleaved}));
}

TEST(ConfigFromGguf, ReadsAQwen3WithHalfRopeAndItsOwnHeadDimension) {
  const auto config = Read(SmallGguf("qwen3")
                               .U32("qwen3.attention.key_length", 16)
                               .U32("qwen3.attention.value_length", 16)
                               .Text("qwen3.rope.scaling.type", "none"));
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->head_dim, 16);
  EXPECT_EQ(config->rope.dims, 16);
  EXPECT_EQ(config->rope.layout, RopeLayout::kHalf);
}

TEST(ConfigFromGguf, RefusesWhatItCannotRun) {
  const auto message = [](GgufWriter& w) { return Read(w).status().message(); };
  EXPECT_THAT(Read(SmallGguf("gemma")).status().message(), HasSubstr("\"gemma\""));
  EXPECT_THAT(message(SmallGguf().Text("llama.rope.scaling.type", "yarn")), HasSubstr("\"yarn\""));
  EXPECT_THAT(message(SmallGguf().F32("llama.rope.scale_linear", 2)), HasSubstr("linear RoPE"));
  EXPECT_THAT(message(SmallGguf().U32("llama.expert_count", 8)), HasSubstr("experts"));
  EXPECT_THAT(message(SmallGguf().U32("llama.attention.sliding_window", 8)), HasSubstr("sliding"));
  EXPECT_THAT(message(SmallGguf().U32("llama.vocab_size", 4)), HasSubstr("3 embeddings"));
  EXPECT_THAT(message(SmallGguf().U32("llama.attention.value_length", 2)), HasSubstr("4 and 2"));
  EXPECT_THAT(message(SmallGguf().U32("llama.rope.dimension_count", 6)), HasSubstr("rotated"));
  GgufWriter scaled = SmallGguf();
  scaled.Tensor("rope_freqs.weight", {2}, 0, 96).data.resize(104);
  EXPECT_THAT(message(scaled), HasSubstr("Llama 3.1"));
}

TEST(ConfigFromGguf, ReadsTheDefaultModel) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto config = ConfigFromGguf(**file);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->hidden, 576);
  EXPECT_EQ(config->layers, 30);
  EXPECT_EQ(config->heads, 9);
  EXPECT_EQ(config->kv_heads, 3);
  EXPECT_EQ(config->head_dim, 64);
  EXPECT_EQ(config->ffn, 1536);
  EXPECT_EQ(config->vocab, 49152);
  EXPECT_EQ(config->context_length, 8192);
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_EQ(config->rope, (RopeConfig{100000.0, 64, RopeLayout::kInterleaved}));
}

}  // namespace
}  // namespace kvasir::model
