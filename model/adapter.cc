#include "model/adapter.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "model/json.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadataKey = "kvasir_adapter";
constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kMaxDim = 4096;  // What compute::RouteIndex takes.
constexpr std::int64_t kMaxQueryPart = 4096;
constexpr std::string_view kForAnswers = "answer.";
constexpr std::int64_t kMaxPooling = 4096;  // A chunk is never longer than a segment may be.

std::string NameOf(Tower tower, std::int32_t layer) {
  std::string name(tower == Tower::kLanguage ? kForAnswers : "");
  return name + "layers." + std::to_string(layer) + ".";
}

/// The settings object with its file's name for errors.
struct Settings {
  const json& root;
  const std::string& source;

  Status Bad(std::string_view key, std::string_view what) const {
    return Corruption(source + ": adapter setting `" + std::string(key) + "` " + std::string(what));
  }

  Result<std::int64_t> Integer(const char* key, std::int64_t low, std::int64_t high) const {
    const json* value = Member(root, key);
    if (value == nullptr || !value->is_number_integer()) return Bad(key, "must be an integer");
    const auto number = value->get<std::int64_t>();
    if (number < low || number > high) {
      return Bad(key, "must lie in " + std::to_string(low) + " to " + std::to_string(high));
    }
    return number;
  }

  Result<std::string> Word(const json& object, const char* key, std::string fallback) const {
    const json* value = Member(object, key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) return Bad(key, "must be a string");
    return value->get<std::string>();
  }

  Result<bool> Flag(const char* key, bool fallback) const {
    const json* value = Member(root, key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) return Bad(key, "must be true or false");
    return value->get<bool>();
  }
};

Result<std::vector<std::int32_t>> ReadLayers(const Settings& settings, int layers) {
  const json* list = Member(settings.root, "routed_layers");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return settings.Bad("routed_layers", "must be a list of layers");
  }
  std::vector<std::int32_t> out;
  for (const json& entry : *list) {
    if (!entry.is_number_integer() || entry < 0 || entry >= layers ||
        (!out.empty() && entry <= out.back())) {
      return settings.Bad("routed_layers",
                          "must be ascending layers below " + std::to_string(layers));
    }
    out.push_back(entry.get<std::int32_t>());
  }
  return out;
}

Result<std::vector<float>> ReadWeights(const Settings& settings, std::size_t count) {
  const json* list = Member(settings.root, "layer_weights");
  if (list == nullptr) return std::vector<float>(count, 1.0F);
  std::vector<float> out;
  if (list->is_array()) {
    for (const json& entry : *list) {
      const float weight = entry.is_number() ? entry.get<float>() : NAN;
      if (!std::isfinite(weight)) return settings.Bad("layer_weights", "must be finite numbers");
      out.push_back(weight);
    }
  }
  if (out.size() != count)
    return settings.Bad("layer_weights", "needs one number per routed layer");
  return out;
}

Result<TextTemplate> ReadTemplate(const Settings& settings, const char* key) {
  const json* object = Member(settings.root, key);
  if (object == nullptr) return TextTemplate{};
  if (!object->is_object()) return settings.Bad(key, "must be an object");
  TextTemplate out;
  KVASIR_ASSIGN_OR_RETURN(out.prefix, settings.Word(*object, "prefix", ""));
  KVASIR_ASSIGN_OR_RETURN(out.suffix, settings.Word(*object, "suffix", ""));
  return out;
}

/// Depth is bounded by ParseJson.
void CollectNumbers(const json& value, const std::string& name,
                    std::map<std::string, double, std::less<>>& out) {
  if (value.is_number()) out[name] = value.get<double>();
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.items()) {
    std::string inner_name = name;
    if (!name.empty()) inner_name += '.';
    inner_name += key;
    CollectNumbers(inner, inner_name, out);
  }
}

/// The base's shape, as far as the adapter states it: `base` may hold any of these.
Status CheckBase(const Settings& settings, const ModelConfig& config) {
  const json* base = Member(settings.root, "base");
  if (base == nullptr) return Status::Ok();
  const std::pair<const char*, int> expected[] = {
      {"hidden", config.hidden},     {"layers", config.layers},     {"heads", config.heads},
      {"kv_heads", config.kv_heads}, {"head_dim", config.head_dim}, {"vocabulary", config.vocab}};
  for (const auto& [key, value] : expected) {
    const json* stated = Member(*base, key);
    if (stated != nullptr && *stated != value) {
      return InvalidArgument(settings.source + ": this adapter was made for a model with " + key +
                             " " + stated->dump() + ", the loaded one has " +
                             std::to_string(value) + "; use the adapter's own base model");
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Adapter> Adapter::Open(const std::string& path, const ModelConfig& config) {
  Adapter adapter;
  adapter.info_.path = path;
  adapter.hidden_ = config.hidden;
  KVASIR_ASSIGN_OR_RETURN(adapter.file_, OpenWeights(path));
  auto metadata = adapter.file_->MetadataString(kMetadataKey);
  if (!metadata.ok()) {
    return Corruption(path + ": not a kvasir adapter (no `kvasir_adapter` in its metadata)");
  }
  KVASIR_RETURN_IF_ERROR(adapter.ReadSettings(*metadata, config));
  return adapter;
}

Status Adapter::ReadSettings(std::string_view text, const ModelConfig& config) {
  KVASIR_ASSIGN_OR_RETURN(const json root, ParseJson(text, info_.path));
  const Settings settings{root, info_.path};
  KVASIR_RETURN_IF_ERROR(settings.Integer("format", kFormat, kFormat).status());
  KVASIR_RETURN_IF_ERROR(CheckBase(settings, config));

  RouterSpec& router = info_.router;
  router.source = RouterSource::kTrained;
  KVASIR_ASSIGN_OR_RETURN(router.layers, ReadLayers(settings, config.layers));
  KVASIR_ASSIGN_OR_RETURN(router.layer_weights, ReadWeights(settings, router.layers.size()));
  KVASIR_ASSIGN_OR_RETURN(const std::int64_t dim, settings.Integer("dim", 4, kMaxDim));
  KVASIR_ASSIGN_OR_RETURN(const std::int64_t heads, settings.Integer("heads", 1, dim));
  if (dim % heads != 0 || dim % 4 != 0) {
    return settings.Bad("dim", "must be a multiple of `heads` and of 4");
  }
  router.key_heads = router.query_heads = heads;
  router.head_dim = dim / heads;
  if (Member(root, "pooling") != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(router.pooling, settings.Integer("pooling", 1, kMaxPooling));
  }
  KVASIR_ASSIGN_OR_RETURN(router.skip_first_token, settings.Flag("skip_first_token", false));

  KVASIR_ASSIGN_OR_RETURN(const std::string query, settings.Word(root, "query_reduce", "mean"));
  if (query != "mean" && query != "max") return settings.Bad("query_reduce", "must be mean or max");
  router.mean_before_unit = query == "mean";
  if (Member(root, "query_part") != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(router.query_part, settings.Integer("query_part", 0, kMaxQueryPart));
  }
  router.query_reduce = query == "mean" ? compute::QueryReduce::kMean : compute::QueryReduce::kMax;
  KVASIR_ASSIGN_OR_RETURN(const std::string chunk, settings.Word(root, "chunk_reduce", "max"));
  if (chunk != "max" && chunk != "mean") return settings.Bad("chunk_reduce", "must be max or mean");
  router.chunk_reduce = chunk == "max" ? compute::ChunkReduce::kMax : compute::ChunkReduce::kMean;

  KVASIR_ASSIGN_OR_RETURN(info_.query_template, ReadTemplate(settings, "query_template"));
  KVASIR_ASSIGN_OR_RETURN(info_.document_template, ReadTemplate(settings, "document_template"));
  if (const json* fusion = Member(root, "fusion")) CollectNumbers(*fusion, "", info_.fusion);
  return Status::Ok();
}

Result<TensorView> Adapter::Find(const std::string& name, std::int64_t rows,
                                 std::int64_t cols) const {
  KVASIR_ASSIGN_OR_RETURN(TensorView tensor, file_->Find(name));
  if (tensor.rows() != rows || tensor.cols() != cols) {
    return Corruption(info_.path + ": tensor " + name + " is " + std::to_string(tensor.rows()) +
                      " × " + std::to_string(tensor.cols()) + ", expected " + std::to_string(rows) +
                      " × " + std::to_string(cols));
  }
  return tensor;
}

Result<TensorView> Adapter::RouterWeight(std::int32_t layer, bool query) const {
  return Find("layers." + std::to_string(layer) + (query ? ".router_q.weight" : ".router_k.weight"),
              info_.router.dim(), hidden_);
}

Result<std::optional<TensorView>> Adapter::RouterBias(std::int32_t layer, bool query) const {
  const std::string name =
      "layers." + std::to_string(layer) + (query ? ".router_q.bias" : ".router_k.bias");
  if (!file_->Contains(name)) return std::optional<TensorView>();
  KVASIR_ASSIGN_OR_RETURN(TensorView bias, Find(name, 1, info_.router.dim()));
  return std::optional(std::move(bias));
}

bool Adapter::IsForAnswers(std::string_view name) { return name.starts_with(kForAnswers); }

bool Adapter::ChangesLayer(Tower tower, std::int32_t layer) const {
  const std::string prefix = NameOf(tower, layer);
  return std::any_of(file_->tensors().begin(), file_->tensors().end(),
                     [&](const TensorView& tensor) {
                       return tensor.name.starts_with(prefix) && tensor.name.ends_with(".lora_a");
                     });
}

Result<std::optional<LowRankUpdate>> Adapter::UpdateOf(const ModelConfig& config, Tower tower,
                                                       TensorId id) const {
  // "blk.3.attn_q.weight" → "layers.3.attn_q.lora_a": the projections keep GGUF's words.
  const std::string gguf = TensorName(TensorNaming::kGguf, id);
  const std::string block = "blk." + std::to_string(id.layer) + ".";
  if (!gguf.starts_with(block)) return std::optional<LowRankUpdate>();
  const std::string projection = gguf.substr(block.size(), gguf.rfind('.') - block.size());
  const std::string base = NameOf(tower, id.layer) + projection;
  if (!file_->Contains(base + ".lora_a")) return std::optional<LowRankUpdate>();

  const std::vector<std::int64_t> shape = ExpectedShape(config, id.role);
  KVASIR_ASSIGN_OR_RETURN(TensorView a, file_->Find(base + ".lora_a"));
  KVASIR_ASSIGN_OR_RETURN(a, Find(base + ".lora_a", a.rows(), shape.back()));
  KVASIR_ASSIGN_OR_RETURN(TensorView b, Find(base + ".lora_b", shape.front(), a.rows()));
  return std::optional<LowRankUpdate>({.a = std::move(a), .b = std::move(b)});
}

}  // namespace kvasir::model
