#include "model/tensor_names.h"

#include <charconv>
#include <utility>

namespace kvasir::model {
namespace {

struct NameRow {
  TensorRole role;
  std::string_view gguf;          ///< Behind "blk.N." for the roles of a layer.
  std::string_view hugging_face;  ///< Behind "model.layers.N." for the roles of a layer.
};

/// No GGUF file carries routers yet: their names there follow the pattern of their neighbours.
constexpr NameRow kNames[] = {
    {TensorRole::kEmbedding, "token_embd.weight", "model.embed_tokens.weight"},
    {TensorRole::kFinalNorm, "output_norm.weight", "model.norm.weight"},
    {TensorRole::kHead, "output.weight", "lm_head.weight"},
    {TensorRole::kTemperature, "temperature", "temperature"},
    {TensorRole::kAttentionNorm, "attn_norm.weight", "input_layernorm.weight"},
    {TensorRole::kQuery, "attn_q.weight", "self_attn.q_proj.weight"},
    {TensorRole::kKey, "attn_k.weight", "self_attn.k_proj.weight"},
    {TensorRole::kValue, "attn_v.weight", "self_attn.v_proj.weight"},
    {TensorRole::kAttentionOutput, "attn_output.weight", "self_attn.o_proj.weight"},
    {TensorRole::kQueryNorm, "attn_q_norm.weight", "self_attn.q_norm.weight"},
    {TensorRole::kKeyNorm, "attn_k_norm.weight", "self_attn.k_norm.weight"},
    {TensorRole::kRouterQuery, "router_q.weight", "self_attn.router_q_proj.0.weight"},
    {TensorRole::kRouterKey, "router_k.weight", "self_attn.router_k_proj.0.weight"},
    {TensorRole::kFeedForwardNorm, "ffn_norm.weight", "post_attention_layernorm.weight"},
    {TensorRole::kGate, "ffn_gate.weight", "mlp.gate_proj.weight"},
    {TensorRole::kUp, "ffn_up.weight", "mlp.up_proj.weight"},
    {TensorRole::kDown, "ffn_down.weight", "mlp.down_proj.weight"},
};

std::string_view LayerPrefix(TensorNaming naming) {
  return naming == TensorNaming::kGguf ? "blk." : "model.layers.";
}

std::string_view NameIn(TensorNaming naming, const NameRow& row) {
  return naming == TensorNaming::kGguf ? row.gguf : row.hugging_face;
}

/// Takes "N." off the front of a layer's tensor name.
std::optional<int> TakeLayer(std::string_view& name) {
  int layer = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || layer < 0) return std::nullopt;
  name.remove_prefix(static_cast<size_t>(end - name.data()));
  if (!name.starts_with('.')) return std::nullopt;
  name.remove_prefix(1);
  return layer;
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

}  // namespace

std::string TensorName(TensorNaming naming, TensorId id) {
  for (const NameRow& row : kNames) {
    if (row.role != id.role) continue;
    std::string name(NameIn(naming, row));
    if (!IsPerLayer(id.role)) return name;
    return std::string(LayerPrefix(naming)) + std::to_string(id.layer) + "." + name;
  }
  return {};
}

std::optional<TensorId> ParseTensorName(TensorNaming naming, std::string_view name) {
  int layer = -1;
  if (name.starts_with(LayerPrefix(naming))) {
    name.remove_prefix(LayerPrefix(naming).size());
    const auto number = TakeLayer(name);
    if (!number) return std::nullopt;
    layer = *number;
  }
  for (const NameRow& row : kNames) {
    if (NameIn(naming, row) == name && IsPerLayer(row.role) == (layer >= 0)) {
      return TensorId{row.role, layer};
    }
  }
  return std::nullopt;
}

std::vector<int64_t> ExpectedShape(const ModelConfig& config, TensorRole role) {
  const int64_t hidden = config.hidden;
  switch (role) {
    case TensorRole::kEmbedding:
    case TensorRole::kHead:
      return {config.vocab, hidden};
    case TensorRole::kFinalNorm:
    case TensorRole::kAttentionNorm:
    case TensorRole::kFeedForwardNorm:
      return {hidden};
    case TensorRole::kTemperature:
      return {};
    case TensorRole::kQuery:
    case TensorRole::kRouterQuery:
      return {config.query_width(), hidden};
    case TensorRole::kKey:
    case TensorRole::kValue:
    case TensorRole::kRouterKey:
      return {config.kv_width(), hidden};
    case TensorRole::kAttentionOutput:
      return {hidden, config.query_width()};
    case TensorRole::kQueryNorm:
    case TensorRole::kKeyNorm:
      return {config.head_dim};
    case TensorRole::kGate:
    case TensorRole::kUp:
      return {config.ffn, hidden};
    case TensorRole::kDown:
      return {hidden, config.ffn};
  }
  return {};
}

Result<TensorView> FindTensor(const WeightsFile& file, const ModelConfig& config, TensorId id) {
  KVASIR_ASSIGN_OR_RETURN(TensorView tensor, file.Find(TensorName(file.naming(), id)));
  const std::vector<int64_t> expected = ExpectedShape(config, id.role);
  if (tensor.shape != expected) {
    return Corruption(file.path().string() + ": tensor \"" + std::string(tensor.name) +
                      "\" has shape " + ShapeText(tensor.shape) + ", the configuration says " +
                      ShapeText(expected));
  }
  return tensor;
}

}  // namespace kvasir::model
