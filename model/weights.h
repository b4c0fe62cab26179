// The weights of a model in its backend's layout, projections that share an input fused.
#ifndef KVASIR_MODEL_WEIGHTS_H_
#define KVASIR_MODEL_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"
#include "model/adapter.h"
#include "model/config.h"
#include "model/kv_cache.h"
#include "model/router.h"
#include "model/tower.h"
#include "model/weights_file.h"

namespace kvasir::model {

using compute::Buffer;
using compute::Matrix;

/// One decoder layer. H query heads, G key-value heads, D head dimension. Vectors are [1, n].
struct LayerWeights {
  std::unique_ptr<Buffer> attention_norm;     ///< [1, hidden]
  std::unique_ptr<Matrix> query_key_value;    ///< [(H + 2G)·D, hidden]
  std::unique_ptr<Buffer> query_norm;         ///< [1, D]; null in llama
  std::unique_ptr<Buffer> key_norm;           ///< [1, D]; null in llama
  std::unique_ptr<Matrix> attention_output;   ///< [hidden, H·D]
  std::unique_ptr<Buffer> feed_forward_norm;  ///< [1, hidden]
  std::unique_ptr<Matrix> gate_up;            ///< [2·ffn, hidden]
  std::unique_ptr<Matrix> down;               ///< [hidden, ffn]
  /// Routed layers of RouterSource::kTrained only; biases may be null all the same.
  std::unique_ptr<Matrix> router_query;  ///< [query_dim, hidden]
  std::unique_ptr<Matrix> router_key;    ///< [dim, hidden]
  std::unique_ptr<Buffer> router_query_bias;
  std::unique_ptr<Buffer> router_key_bias;
};

struct Weights {
  std::unique_ptr<Matrix> embedding;  ///< [vocabulary, hidden]
  std::unique_ptr<Matrix> head;       ///< Null: the embedding.
  std::unique_ptr<Buffer> final_norm;
  std::vector<LayerWeights> layers;  ///< Routers of both towers are here.
  /// A tower's own version of a layer: the adapter's changes beside the matrices of `layers`, which
  /// are shared; null where it has none. Without routers.
  using TowerLayers = std::vector<std::unique_ptr<LayerWeights>>;
  TowerLayers language_layers;
  TowerLayers memory_layers;
  std::vector<float> inverse_frequencies;  ///< RoPE: theta^(-2i / dims).
  KvCache template_head;                   ///< All layers, unpooled (msa.md §3.6).

  const Matrix& output_head() const { return head ? *head : *embedding; }
  const LayerWeights& Layer(Tower tower, std::int32_t layer) const {
    const TowerLayers& own = tower == Tower::kMemory ? memory_layers : language_layers;
    return own[layer] != nullptr ? *own[layer] : layers[layer];
  }
};

/// Loads every tensor that `config` and `router` ask for; `adapter` (may be null) gives routers and
/// low-rank changes, which stand beside the weights in its towers. kCorruption when the memory
/// tower changes a layer behind the last routed one. `template_head` is left empty.
Result<std::unique_ptr<Weights>> LoadWeights(const WeightsFile& file, const ModelConfig& config,
                                             const RouterSpec& router, const Adapter* adapter,
                                             compute::Backend& backend);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_WEIGHTS_H_
