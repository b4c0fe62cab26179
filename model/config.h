// The shape of a language model, read from its file and checked.
#ifndef KVASIR_MODEL_CONFIG_H_
#define KVASIR_MODEL_CONFIG_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::model {

class GgufFile;

/// kMsa is qwen3 with router projections (Memory Sparse Attention, arXiv 2603.23516).
enum class Architecture { kLlama, kQwen3, kMsa };

/// Which numbers of a head are rotated together.
/// kInterleaved: (2i, 2i+1), llama.cpp's NORM. GGUF conversions of `llama` models have the rows of
/// their q and k projections permuted for it, so those files must be run with it.
/// kHalf: (i, i + dims/2), llama.cpp's NEOX. qwen3 GGUF files and all safetensors checkpoints.
enum class RopeLayout { kInterleaved, kHalf };

struct RopeConfig {
  double theta = 10000.0;
  int dims = 0;  ///< How many leading numbers of each head are rotated; even, ≤ head_dim.
  RopeLayout layout = RopeLayout::kHalf;

  friend bool operator==(const RopeConfig&, const RopeConfig&) = default;
};

enum class HeadReduce { kMean, kMax };
enum class QueryReduce { kMax, kMean, kLast };
enum class ChunkReduce { kMax, kMean };

/// `msa_config` of a checkpoint, in the paper's words.
struct MsaConfig {
  std::vector<int> routed_layers;  ///< Ascending, not empty.
  int top_k_docs = 16;             ///< Documents selected in each routed layer.
  int pooling = 64;                ///< Tokens averaged into one chunk.
  HeadReduce head_reduce = HeadReduce::kMean;
  QueryReduce query_reduce = QueryReduce::kMax;
  ChunkReduce chunk_reduce = ChunkReduce::kMax;
  bool decouple_router = true;  ///< Own W_QR, W_KR; otherwise the ordinary q and K̄ route.
  std::string aux_loss_method = "INFONCE";

  /// Router vectors are made unit vectors per head: only for exactly "INFONCE", as the reference
  /// computes at inference.
  bool cosine() const { return aux_loss_method == "INFONCE"; }
  /// Router queries carry the factor D^-0.5 (left out only for decoupled cosine).
  bool scaled() const { return !(cosine() && decouple_router); }
  /// The reference trains every method whose name contains INFONCE with cosine but infers with
  /// plain products unless it is exactly INFONCE: worth a warning when such a checkpoint loads.
  bool trained_as_cosine_but_inferred_as_dot() const {
    return !cosine() && aux_loss_method.find("INFONCE") != std::string::npos;
  }
  /// Whether `layer` routes.
  bool Routes(int layer) const;

  friend bool operator==(const MsaConfig&, const MsaConfig&) = default;
};

/// Every count is positive and within the limits that Validate names.
struct ModelConfig {
  Architecture architecture = Architecture::kLlama;
  std::string name;  ///< What the file calls the model; may be empty.
  int hidden = 0;
  int layers = 0;
  int heads = 0;     ///< Query heads, a multiple of kv_heads.
  int kv_heads = 0;  ///< Key-value heads.
  int head_dim = 0;  ///< Even. heads·head_dim may differ from hidden.
  int ffn = 0;       ///< Rows of the gate and up projections.
  int vocab = 0;
  int context_length = 0;  ///< Tokens the model was trained for.
  double rms_eps = 1e-5;
  bool tied_embeddings = false;  ///< The head is the embedding.
  RopeConfig rope;
  std::optional<MsaConfig> msa;  ///< For kMsa; nothing else carries routers of its own.

  int query_width() const { return heads * head_dim; }
  int kv_width() const { return kv_heads * head_dim; }
  int heads_per_kv() const { return heads / kv_heads; }
  /// Query and key are RMS-normed per head.
  bool has_qk_norm() const { return architecture != Architecture::kLlama; }

  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

/// "llama", "qwen3", "msa".
std::string_view ArchitectureName(Architecture architecture);

/// How a model without routers of its own is routed: upper half of the layers, 64 tokens a chunk,
/// 16 documents, its ordinary q and k, cosine.
MsaConfig UpperHalfRouting(int layers);

/// kCorruption, naming the value, when something is out of range or contradicts something else.
Status Validate(const ModelConfig& config);

/// Reads `general.architecture` and its `llama.*` or `qwen3.*` keys; kUnavailable for an
/// architecture or RoPE scaling that kvasir cannot run. Validated.
Result<ModelConfig> ConfigFromGguf(const GgufFile& file);

/// Reads a checkpoint's config.json (`model_type` llama, qwen3 or msa). `source` names the file in
/// errors. Validated.
Result<ModelConfig> ConfigFromJson(std::string_view json, std::string_view source);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_CONFIG_H_
