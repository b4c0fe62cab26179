// One name for each tensor of the network, whatever its file calls it.
#ifndef KVASIR_MODEL_TENSOR_NAMES_H_
#define KVASIR_MODEL_TENSOR_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "model/config.h"
#include "model/weights_file.h"

namespace kvasir::model {

/// Shapes are [rows, cols] = [out, in]; H query heads, G key-value heads, D head dimension.
enum class TensorRole {
  kEmbedding,        ///< [vocab, hidden]
  kFinalNorm,        ///< [hidden]
  kHead,             ///< [vocab, hidden]; absent when tied to the embedding.
  kTemperature,      ///< Scalar of an MSA checkpoint (training only).
  kAttentionNorm,    ///< From here on: one for each layer. [hidden]
  kQuery,            ///< [H·D, hidden]
  kKey,              ///< [G·D, hidden]
  kValue,            ///< [G·D, hidden]
  kAttentionOutput,  ///< [hidden, H·D]
  kQueryNorm,        ///< [D]; qwen3 and msa
  kKeyNorm,          ///< [D]; qwen3 and msa
  kRouterQuery,      ///< [H·D, hidden]; msa, routed layers
  kRouterKey,        ///< [G·D, hidden]; msa, routed layers
  kFeedForwardNorm,  ///< [hidden]
  kGate,             ///< [ffn, hidden]
  kUp,               ///< [ffn, hidden]
  kDown,             ///< [hidden, ffn]
};

/// Whether the role exists once per layer.
constexpr bool IsPerLayer(TensorRole role) { return role >= TensorRole::kAttentionNorm; }

struct TensorId {
  TensorRole role = TensorRole::kEmbedding;
  int layer = -1;  ///< −1 for the roles that are not per layer.

  friend bool operator==(const TensorId&, const TensorId&) = default;
};

/// "blk.3.attn_q.weight" or "model.layers.3.self_attn.q_proj.weight".
std::string TensorName(TensorNaming naming, TensorId id);
/// The inverse; nothing for a name that no role has.
std::optional<TensorId> ParseTensorName(TensorNaming naming, std::string_view name);

/// What the configuration says the tensor's shape must be.
std::vector<int64_t> ExpectedShape(const ModelConfig& config, TensorRole role);

/// The tensor, its shape compared with the configuration: kNotFound or kCorruption with file and
/// tensor named.
Result<TensorView> FindTensor(const WeightsFile& file, const ModelConfig& config, TensorId id);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TENSOR_NAMES_H_
