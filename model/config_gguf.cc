// ModelConfig from the metadata of a GGUF file.
#include <limits>
#include <string>

#include "model/config.h"
#include "model/gguf.h"

namespace kvasir::model {
namespace {

/// `llama.KEY` or `qwen3.KEY`, with or without a value to fall back on.
class Keys {
 public:
  Keys(const GgufFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  std::string Full(std::string_view key) const { return prefix_ + "." + std::string(key); }
  bool Has(std::string_view key) const { return file_.FindValue(Full(key)) != nullptr; }

  Result<int> Integer(std::string_view key) const {
    KVASIR_ASSIGN_OR_RETURN(const int64_t value, file_.Integer(Full(key)));
    if (value < 0 || value > std::numeric_limits<int>::max()) {
      return Corruption(file_.path().string() + ": " + Full(key) + " is out of range");
    }
    return static_cast<int>(value);
  }
  Result<int> Integer(std::string_view key, int fallback) const {
    if (!Has(key)) return fallback;
    return Integer(key);
  }
  Result<double> Number(std::string_view key) const { return file_.Number(Full(key)); }
  Result<double> Number(std::string_view key, double fallback) const {
    if (!Has(key)) return fallback;
    return Number(key);
  }

 private:
  const GgufFile& file_;
  std::string prefix_;
};

Result<Architecture> ReadArchitecture(const GgufFile& file) {
  KVASIR_ASSIGN_OR_RETURN(const auto name, file.MetadataString("general.architecture"));
  if (name == "llama") return Architecture::kLlama;
  if (name == "qwen3") return Architecture::kQwen3;
  return Unavailable(file.path().string() + ": architecture \"" + std::string(name) +
                     "\" is not supported; use a llama or qwen3 model");
}

/// What would change the arithmetic without being told apart by the tensors must be refused.
Status RefuseUnsupported(const GgufFile& file, const Keys& keys) {
  const std::string where = file.path().string();
  const std::string scaling = keys.Full("rope.scaling.type");
  if (file.FindValue(scaling) != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(const auto kind, file.MetadataString(scaling));
    if (kind != "none") {
      return Unavailable(where + ": RoPE scaling \"" + std::string(kind) + "\" is not supported");
    }
  }
  KVASIR_ASSIGN_OR_RETURN(const double linear, keys.Number("rope.scale_linear", 1.0));
  if (linear != 1.0) return Unavailable(where + ": linear RoPE scaling is not supported");
  if (file.Contains("rope_freqs.weight")) {
    return Unavailable(where + ": RoPE scaling by frequency (Llama 3.1) is not supported");
  }
  KVASIR_ASSIGN_OR_RETURN(const int experts, keys.Integer("expert_count", 0));
  if (experts > 0) return Unavailable(where + ": mixtures of experts are not supported");
  KVASIR_ASSIGN_OR_RETURN(const int window, keys.Integer("attention.sliding_window", 0));
  if (window > 0) return Unavailable(where + ": sliding-window attention is not supported");
  return Status::Ok();
}

/// The embedding's rows are what can be looked up; a count that says otherwise is an error.
Result<int> ReadVocabulary(const GgufFile& file, const Keys& keys) {
  KVASIR_ASSIGN_OR_RETURN(const TensorView embedding, file.Find("token_embd.weight"));
  if (embedding.shape.size() != 2 || embedding.shape[0] > std::numeric_limits<int>::max()) {
    return Corruption(file.path().string() + ": token_embd.weight is not a matrix");
  }
  const int rows = static_cast<int>(embedding.shape[0]);
  KVASIR_ASSIGN_OR_RETURN(const int stated, keys.Integer("vocab_size", rows));
  if (stated != rows) {
    return Corruption(file.path().string() + ": a vocabulary of " + std::to_string(stated) +
                      " tokens, but " + std::to_string(rows) + " embeddings");
  }
  return rows;
}

/// Head dimension and RoPE: keys and values must have the same length, hidden / heads by default.
Status ReadHeads(const GgufFile& file, const Keys& keys, ModelConfig& config) {
  KVASIR_ASSIGN_OR_RETURN(config.heads, keys.Integer("attention.head_count"));
  KVASIR_ASSIGN_OR_RETURN(config.kv_heads, keys.Integer("attention.head_count_kv", config.heads));
  const int even_share = config.heads > 0 ? config.hidden / config.heads : 0;
  KVASIR_ASSIGN_OR_RETURN(config.head_dim, keys.Integer("attention.key_length", even_share));
  KVASIR_ASSIGN_OR_RETURN(const int values,
                          keys.Integer("attention.value_length", config.head_dim));
  if (values != config.head_dim) {
    return Unavailable(file.path().string() + ": keys and values of different lengths (" +
                       std::to_string(config.head_dim) + " and " + std::to_string(values) +
                       ") are not supported");
  }
  KVASIR_ASSIGN_OR_RETURN(config.rope.dims, keys.Integer("rope.dimension_count", config.head_dim));
  KVASIR_ASSIGN_OR_RETURN(config.rope.theta, keys.Number("rope.freq_base", 10000.0));
  config.rope.layout =
      config.architecture == Architecture::kLlama ? RopeLayout::kInterleaved : RopeLayout::kHalf;
  return Status::Ok();
}

}  // namespace

Result<ModelConfig> ConfigFromGguf(const GgufFile& file) {
  ModelConfig config;
  KVASIR_ASSIGN_OR_RETURN(config.architecture, ReadArchitecture(file));
  const Keys keys(file, std::string(ArchitectureName(config.architecture)));
  KVASIR_RETURN_IF_ERROR(RefuseUnsupported(file, keys));
  if (file.FindValue("general.name") != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(config.name, file.MetadataString("general.name"));
  }
  KVASIR_ASSIGN_OR_RETURN(config.hidden, keys.Integer("embedding_length"));
  KVASIR_ASSIGN_OR_RETURN(config.layers, keys.Integer("block_count"));
  KVASIR_ASSIGN_OR_RETURN(config.ffn, keys.Integer("feed_forward_length"));
  KVASIR_ASSIGN_OR_RETURN(config.context_length, keys.Integer("context_length"));
  KVASIR_ASSIGN_OR_RETURN(config.rms_eps, keys.Number("attention.layer_norm_rms_epsilon"));
  KVASIR_RETURN_IF_ERROR(ReadHeads(file, keys, config));
  KVASIR_ASSIGN_OR_RETURN(config.vocab, ReadVocabulary(file, keys));
  config.tied_embeddings = !file.Contains("output.weight");
  KVASIR_RETURN_IF_ERROR(Validate(config).WithContext(file.path().string()));
  return config;
}

}  // namespace kvasir::model
