// ModelConfig from a checkpoint's config.json.
#include <charconv>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "model/config.h"
#include "model/json.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

Status Wrong(std::string_view key, std::string_view kind) {
  return Corruption(Quoted(key) + " is not " + std::string(kind));
}

Result<int> ReadInteger(const json& object, std::string_view key) {
  const json* value = Member(object, key);
  if (value == nullptr) return Corruption("no \"" + std::string(key) + "\"");
  if (!value->is_number_unsigned() ||
      value->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int>::max())) {
    return Wrong(key, "a natural number below 2^31");
  }
  return value->get<int>();
}

Result<int> ReadInteger(const json& object, std::string_view key, int fallback) {
  if (Member(object, key) == nullptr) return fallback;
  return ReadInteger(object, key);
}

Result<double> ReadNumber(const json& object, std::string_view key, double fallback) {
  const json* value = Member(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_number()) return Wrong(key, "a number");
  return value->get<double>();
}

Result<bool> ReadBool(const json& object, std::string_view key, bool fallback) {
  const json* value = Member(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return Wrong(key, "true or false");
  return value->get<bool>();
}

Result<std::string> ReadString(const json& object, std::string_view key, std::string fallback) {
  const json* value = Member(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) return Wrong(key, "a string");
  return value->get<std::string>();
}

/// One of a few words, each standing for a value.
template <typename T>
Status ReadWord(const json& object, std::string_view key,
                std::initializer_list<std::pair<std::string_view, T>> words, T& out) {
  KVASIR_ASSIGN_OR_RETURN(const std::string given, ReadString(object, key, ""));
  if (given.empty()) return Status::Ok();
  for (const auto& [word, value] : words) {
    if (given == word) {
      out = value;
      return Status::Ok();
    }
  }
  return Unavailable(Quoted(key) + " is " + Quoted(given) + ", which is not supported");
}

/// "all", or numbers joined by commas.
Result<std::vector<int>> ReadLayers(const json& msa, int layers) {
  KVASIR_ASSIGN_OR_RETURN(const std::string list, ReadString(msa, "router_layer_idx", "all"));
  std::vector<int> routed;
  if (list == "all") {
    routed.resize(static_cast<size_t>(layers));
    std::iota(routed.begin(), routed.end(), 0);
    return routed;
  }
  const char* at = list.data();
  const char* const end = at + list.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    int layer = 0;
    const auto [next, error] = std::from_chars(at, end, layer);
    if (error != std::errc() || (next != end && *next != ',')) {
      return Wrong("router_layer_idx", "\"all\" or layer numbers joined by commas");
    }
    routed.push_back(layer);
    if (next == end) return routed;
    at = next + 1;
  }
}

Result<MsaConfig> ReadMsa(const json& root, int layers) {
  const json* object = Member(root, "msa_config");
  if (object == nullptr || !object->is_object()) return Corruption("no \"msa_config\"");
  MsaConfig msa;
  KVASIR_ASSIGN_OR_RETURN(msa.routed_layers, ReadLayers(*object, layers));
  KVASIR_ASSIGN_OR_RETURN(msa.top_k_docs, ReadInteger(*object, "top_k_docs", msa.top_k_docs));
  KVASIR_ASSIGN_OR_RETURN(msa.pooling, ReadInteger(*object, "pooling_kernel_size", msa.pooling));
  KVASIR_RETURN_IF_ERROR(ReadWord<HeadReduce>(
      *object, "head_reduce_method", {{"mean", HeadReduce::kMean}, {"max", HeadReduce::kMax}},
      msa.head_reduce));
  KVASIR_RETURN_IF_ERROR(ReadWord<QueryReduce>(
      *object, "query_reduce_method",
      {{"max", QueryReduce::kMax}, {"mean", QueryReduce::kMean}, {"last", QueryReduce::kLast}},
      msa.query_reduce));
  KVASIR_RETURN_IF_ERROR(ReadWord<ChunkReduce>(
      *object, "chunk_reduce_method", {{"max", ChunkReduce::kMax}, {"mean", ChunkReduce::kMean}},
      msa.chunk_reduce));
  KVASIR_ASSIGN_OR_RETURN(msa.decouple_router,
                          ReadBool(*object, "decouple_router", msa.decouple_router));
  KVASIR_ASSIGN_OR_RETURN(msa.aux_loss_method,
                          ReadString(*object, "aux_loss_method", msa.aux_loss_method));
  return msa;
}

/// "rope_scaling" of older checkpoints, "rope_parameters" of newer ones: the default kind only.
Status ReadRope(const json& root, ModelConfig& config) {
  KVASIR_ASSIGN_OR_RETURN(config.rope.theta, ReadNumber(root, "rope_theta", 10000.0));
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* scaling = Member(root, key);
    if (scaling == nullptr) continue;
    KVASIR_ASSIGN_OR_RETURN(std::string kind, ReadString(*scaling, "type", "default"));
    KVASIR_ASSIGN_OR_RETURN(kind, ReadString(*scaling, "rope_type", kind));
    if (kind != "default") return Unavailable("RoPE scaling " + Quoted(kind) + " is not supported");
    KVASIR_ASSIGN_OR_RETURN(config.rope.theta,
                            ReadNumber(*scaling, "rope_theta", config.rope.theta));
  }
  config.rope.dims = config.head_dim;
  config.rope.layout = RopeLayout::kHalf;
  return Status::Ok();
}

Status RefuseUnsupported(const json& root) {
  for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window"}) {
    KVASIR_ASSIGN_OR_RETURN(const bool on, ReadBool(root, key, false));
    if (on) return Unavailable(Quoted(key) + " is not supported");
  }
  KVASIR_ASSIGN_OR_RETURN(const double rotated, ReadNumber(root, "partial_rotary_factor", 1.0));
  if (rotated != 1.0) return Unavailable("\"partial_rotary_factor\" is not supported");
  KVASIR_ASSIGN_OR_RETURN(const std::string activation, ReadString(root, "hidden_act", "silu"));
  if (activation != "silu") {
    return Unavailable("activation " + Quoted(activation) + " is not supported");
  }
  return Status::Ok();
}

Result<ModelConfig> ReadConfig(const json& root) {
  if (!root.is_object()) return Corruption("not an object");
  ModelConfig config;
  KVASIR_ASSIGN_OR_RETURN(const std::string type, ReadString(root, "model_type", ""));
  KVASIR_RETURN_IF_ERROR(ReadWord<Architecture>(root, "model_type",
                                                {{"llama", Architecture::kLlama},
                                                 {"qwen3", Architecture::kQwen3},
                                                 {"msa", Architecture::kMsa}},
                                                config.architecture));
  if (type.empty()) return Corruption("no \"model_type\"");
  KVASIR_RETURN_IF_ERROR(RefuseUnsupported(root));
  KVASIR_ASSIGN_OR_RETURN(config.name, ReadString(root, "_name_or_path", ""));
  KVASIR_ASSIGN_OR_RETURN(config.hidden, ReadInteger(root, "hidden_size"));
  KVASIR_ASSIGN_OR_RETURN(config.layers, ReadInteger(root, "num_hidden_layers"));
  KVASIR_ASSIGN_OR_RETURN(config.heads, ReadInteger(root, "num_attention_heads"));
  KVASIR_ASSIGN_OR_RETURN(config.kv_heads, ReadInteger(root, "num_key_value_heads", config.heads));
  const int even_share = config.heads > 0 ? config.hidden / config.heads : 0;
  KVASIR_ASSIGN_OR_RETURN(config.head_dim, ReadInteger(root, "head_dim", even_share));
  KVASIR_ASSIGN_OR_RETURN(config.ffn, ReadInteger(root, "intermediate_size"));
  KVASIR_ASSIGN_OR_RETURN(config.vocab, ReadInteger(root, "vocab_size"));
  KVASIR_ASSIGN_OR_RETURN(config.context_length, ReadInteger(root, "max_position_embeddings"));
  KVASIR_ASSIGN_OR_RETURN(config.rms_eps, ReadNumber(root, "rms_norm_eps", 1e-6));
  KVASIR_ASSIGN_OR_RETURN(config.tied_embeddings, ReadBool(root, "tie_word_embeddings", false));
  KVASIR_RETURN_IF_ERROR(ReadRope(root, config));
  if (config.architecture == Architecture::kMsa) {
    ModelConfig backbone = config;  // Its layer count must be sane before "all" expands to it.
    backbone.architecture = Architecture::kQwen3;
    KVASIR_RETURN_IF_ERROR(Validate(backbone));
    KVASIR_ASSIGN_OR_RETURN(config.msa, ReadMsa(root, config.layers));
  }
  KVASIR_RETURN_IF_ERROR(Validate(config));
  return config;
}

}  // namespace

Result<ModelConfig> ConfigFromJson(std::string_view text, std::string_view source) {
  KVASIR_ASSIGN_OR_RETURN(const json root, ParseJson(text, source));
  auto config = ReadConfig(root);
  if (!config.ok()) return config.status().WithContext(source);
  return config;
}

}  // namespace kvasir::model
