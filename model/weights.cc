#include "model/weights.h"

#include <cmath>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "compute/quant_blocks.h"
#include "model/tensor_names.h"

namespace kvasir::model {
namespace {

using compute::HostMatrix;

Result<std::vector<float>> ToFloats(const TensorView& tensor) {
  std::vector<float> out(static_cast<std::size_t>(tensor.elements()));
  const auto cols = static_cast<std::size_t>(tensor.cols());
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    const auto at = static_cast<std::size_t>(row) * cols;
    if (Status status = compute::DequantizeRow(tensor.type, tensor.Rows(row, 1),
                                               std::span(out).subspan(at, cols));
        !status.ok()) {
      return status.WithContext(tensor.name);
    }
  }
  return out;
}

HostMatrix HostOf(const TensorView& tensor) {
  return {.type = tensor.type, .rows = tensor.rows(), .cols = tensor.cols(), .bytes = tensor.bytes};
}

/// Brings tensors from a file, and the adapter's changes, to a backend.
class Loader {
 public:
  Loader(const WeightsFile& file, const ModelConfig& config, const RouterSpec& router,
         const Adapter* adapter, compute::Backend& backend, compute::Stream& stream)
      : file_(file),
        config_(config),
        router_(router),
        adapter_(adapter),
        backend_(backend),
        stream_(stream) {}

  Result<std::unique_ptr<Weights>> Load();

 private:
  Result<LayerWeights> LoadLayer(std::int32_t layer);
  /// A tower's own version of a layer; null where the adapter does not change it.
  Result<std::unique_ptr<LayerWeights>> LoadTowerLayer(Tower tower, std::int32_t layer,
                                                       const LayerWeights& base);
  Status LoadRouter(std::int32_t layer, LayerWeights& out);
  /// One matrix of the stacked rows of these roles.
  Result<std::unique_ptr<Matrix>> Stack(std::initializer_list<TensorRole> roles,
                                        std::int32_t layer = -1);
  /// The layer's vectors, which an adapter never changes.
  Status LoadNorms(std::int32_t layer, LayerWeights& out);
  /// A tower's changes of these roles beside their stacked matrix.
  Result<std::unique_ptr<Matrix>> Change(const Matrix& base,
                                         std::initializer_list<TensorRole> roles, Tower tower,
                                         std::int32_t layer);
  Result<std::unique_ptr<Buffer>> Vector(TensorRole role, std::int32_t layer = -1);
  Result<std::unique_ptr<Buffer>> Vector(const TensorView& tensor);
  Result<std::unique_ptr<Matrix>> RouterMatrix(std::int32_t layer, bool query);
  Result<std::unique_ptr<Buffer>> RouterBias(std::int32_t layer, bool query);

  const WeightsFile& file_;
  const ModelConfig& config_;
  const RouterSpec& router_;
  const Adapter* adapter_;
  compute::Backend& backend_;
  compute::Stream& stream_;
};

Result<std::unique_ptr<Weights>> Loader::Load() {
  auto weights = std::make_unique<Weights>();
  KVASIR_ASSIGN_OR_RETURN(weights->embedding, Stack({TensorRole::kEmbedding}));
  if (!config_.tied_embeddings) {
    KVASIR_ASSIGN_OR_RETURN(weights->head, Stack({TensorRole::kHead}));
  }
  KVASIR_ASSIGN_OR_RETURN(weights->final_norm, Vector(TensorRole::kFinalNorm));
  for (std::int32_t layer = 0; layer < config_.layers; ++layer) {
    KVASIR_ASSIGN_OR_RETURN(LayerWeights loaded, LoadLayer(layer));
    weights->layers.push_back(std::move(loaded));
    const LayerWeights& base = weights->layers.back();
    KVASIR_ASSIGN_OR_RETURN(weights->language_layers.emplace_back(),
                            LoadTowerLayer(Tower::kLanguage, layer, base));
    KVASIR_ASSIGN_OR_RETURN(weights->memory_layers.emplace_back(),
                            LoadTowerLayer(Tower::kMemory, layer, base));
  }
  for (int i = 0; i < config_.rope.dims / 2; ++i) {
    weights->inverse_frequencies.push_back(
        static_cast<float>(std::pow(config_.rope.theta, -2.0 * i / config_.rope.dims)));
  }
  return weights;
}

Result<LayerWeights> Loader::LoadLayer(std::int32_t layer) {
  LayerWeights w;
  KVASIR_RETURN_IF_ERROR(LoadNorms(layer, w));
  KVASIR_ASSIGN_OR_RETURN(w.query_key_value,
                          Stack({TensorRole::kQuery, TensorRole::kKey, TensorRole::kValue}, layer));
  KVASIR_ASSIGN_OR_RETURN(w.attention_output, Stack({TensorRole::kAttentionOutput}, layer));
  KVASIR_ASSIGN_OR_RETURN(w.gate_up, Stack({TensorRole::kGate, TensorRole::kUp}, layer));
  KVASIR_ASSIGN_OR_RETURN(w.down, Stack({TensorRole::kDown}, layer));
  if (router_.source == RouterSource::kTrained && router_.IndexOf(layer) >= 0) {
    KVASIR_RETURN_IF_ERROR(LoadRouter(layer, w));
  }
  return w;
}

Status Loader::LoadNorms(std::int32_t layer, LayerWeights& out) {
  KVASIR_ASSIGN_OR_RETURN(out.attention_norm, Vector(TensorRole::kAttentionNorm, layer));
  KVASIR_ASSIGN_OR_RETURN(out.feed_forward_norm, Vector(TensorRole::kFeedForwardNorm, layer));
  if (!config_.has_qk_norm()) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(out.query_norm, Vector(TensorRole::kQueryNorm, layer));
  KVASIR_ASSIGN_OR_RETURN(out.key_norm, Vector(TensorRole::kKeyNorm, layer));
  return Status::Ok();
}

Result<std::unique_ptr<LayerWeights>> Loader::LoadTowerLayer(Tower tower, std::int32_t layer,
                                                             const LayerWeights& base) {
  if (adapter_ == nullptr || !adapter_->ChangesLayer(tower, layer)) {
    return std::unique_ptr<LayerWeights>();
  }
  if (tower == Tower::kMemory && layer > router_.layers.back()) {
    return Corruption(adapter_->info().path + ": changes layer " + std::to_string(layer) +
                      ", behind the last routed layer " + std::to_string(router_.layers.back()));
  }
  auto w = std::make_unique<LayerWeights>();
  KVASIR_RETURN_IF_ERROR(LoadNorms(layer, *w));
  KVASIR_ASSIGN_OR_RETURN(
      w->query_key_value,
      Change(*base.query_key_value, {TensorRole::kQuery, TensorRole::kKey, TensorRole::kValue},
             tower, layer));
  KVASIR_ASSIGN_OR_RETURN(
      w->attention_output,
      Change(*base.attention_output, {TensorRole::kAttentionOutput}, tower, layer));
  KVASIR_ASSIGN_OR_RETURN(
      w->gate_up, Change(*base.gate_up, {TensorRole::kGate, TensorRole::kUp}, tower, layer));
  KVASIR_ASSIGN_OR_RETURN(w->down, Change(*base.down, {TensorRole::kDown}, tower, layer));
  return w;
}

Result<std::unique_ptr<Matrix>> Loader::Change(const Matrix& base,
                                               std::initializer_list<TensorRole> roles, Tower tower,
                                               std::int32_t layer) {
  std::vector<compute::LowRankUpdate> updates;
  std::int64_t first_row = 0;
  for (const TensorRole role : roles) {
    KVASIR_ASSIGN_OR_RETURN(const auto update,
                            adapter_->UpdateOf(config_, tower, {.role = role, .layer = layer}));
    if (update) {
      updates.push_back({.first_row = first_row, .a = HostOf(update->a), .b = HostOf(update->b)});
    }
    first_row += ExpectedShape(config_, role).front();
  }
  return backend_.AddLowRank(base, updates);
}

Status Loader::LoadRouter(std::int32_t layer, LayerWeights& out) {
  KVASIR_ASSIGN_OR_RETURN(out.router_query, RouterMatrix(layer, /*query=*/true));
  KVASIR_ASSIGN_OR_RETURN(out.router_key, RouterMatrix(layer, /*query=*/false));
  if (adapter_ == nullptr) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(out.router_query_bias, RouterBias(layer, /*query=*/true));
  KVASIR_ASSIGN_OR_RETURN(out.router_key_bias, RouterBias(layer, /*query=*/false));
  return Status::Ok();
}

Result<std::unique_ptr<Matrix>> Loader::Stack(std::initializer_list<TensorRole> roles,
                                              std::int32_t layer) {
  std::vector<HostMatrix> parts;
  for (const TensorRole role : roles) {
    KVASIR_ASSIGN_OR_RETURN(const TensorView tensor,
                            FindTensor(file_, config_, {.role = role, .layer = layer}));
    parts.push_back(HostOf(tensor));
  }
  return backend_.LoadMatrix(parts);
}

Result<std::unique_ptr<Buffer>> Loader::Vector(TensorRole role, std::int32_t layer) {
  KVASIR_ASSIGN_OR_RETURN(const TensorView tensor,
                          FindTensor(file_, config_, {.role = role, .layer = layer}));
  return Vector(tensor);
}

Result<std::unique_ptr<Buffer>> Loader::Vector(const TensorView& tensor) {
  KVASIR_ASSIGN_OR_RETURN(const std::vector<float> values, ToFloats(tensor));
  KVASIR_ASSIGN_OR_RETURN(auto buffer, backend_.Allocate(tensor.elements()));
  stream_.Upload(values, buffer->View(1, tensor.elements()));
  KVASIR_RETURN_IF_ERROR(stream_.Synchronize());
  return buffer;
}

Result<std::unique_ptr<Matrix>> Loader::RouterMatrix(std::int32_t layer, bool query) {
  TensorView tensor;
  if (adapter_ != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(tensor, adapter_->RouterWeight(layer, query));
  } else {
    const TensorId id{.role = query ? TensorRole::kRouterQuery : TensorRole::kRouterKey,
                      .layer = layer};
    KVASIR_ASSIGN_OR_RETURN(tensor, FindTensor(file_, config_, id));
  }
  const HostMatrix part = HostOf(tensor);
  // Scores of close memories differ by less than what 8-bit weights round away.
  return backend_.LoadMatrix(std::span(&part, 1), compute::Precision::kF32);
}

Result<std::unique_ptr<Buffer>> Loader::RouterBias(std::int32_t layer, bool query) {
  KVASIR_ASSIGN_OR_RETURN(const auto bias, adapter_->RouterBias(layer, query));
  if (!bias) return std::unique_ptr<Buffer>();
  return Vector(*bias);
}

}  // namespace

Result<std::unique_ptr<Weights>> LoadWeights(const WeightsFile& file, const ModelConfig& config,
                                             const RouterSpec& router, const Adapter* adapter,
                                             compute::Backend& backend) {
  KVASIR_ASSIGN_OR_RETURN(const auto stream, backend.NewStream());
  return Loader(file, config, router, adapter, backend, *stream).Load();
}

}  // namespace kvasir::model
