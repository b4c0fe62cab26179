// kvasir's own adapters: one safetensors file that teaches a base model to route (docs/adr/0003).
// Its format, with tensor names and the metadata key `kvasir_adapter`, is in train/README.md.
// Hostile input like any model file: every number and shape is checked.
#ifndef KVASIR_MODEL_ADAPTER_H_
#define KVASIR_MODEL_ADAPTER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "model/config.h"
#include "model/router.h"
#include "model/tensor_names.h"
#include "model/tower.h"
#include "model/weights_file.h"

namespace kvasir::model {

/// Text around a question or a segment, as the adapter was trained: control tokens are parsed in
/// `prefix` and `suffix`, never in the text between. Each part is tokenised by itself.
struct TextTemplate {
  std::string prefix;
  std::string suffix;
};

/// What the rest of kvasir must know of an adapter.
struct AdapterInfo {
  std::string path;
  RouterSpec router;
  TextTemplate query_template;
  TextTemplate document_template;
  /// The numbers of the metadata's `fusion` object; those of nested objects as "outer.inner".
  std::map<std::string, double, std::less<>> fusion;
};

/// A low-rank change of one projection: W += b · a, a [rank, in], b [out, rank], float32 or half.
struct LowRankUpdate {
  TensorView a;
  TensorView b;
};

/// An opened adapter: its settings, and its tensors in mapped memory while weights are loaded.
class Adapter {
 public:
  /// kNotFound, kCorruption (not an adapter, or contradicts itself), kInvalidArgument (made for
  /// another model than `config`).
  static Result<Adapter> Open(const std::string& path, const ModelConfig& config);

  const AdapterInfo& info() const { return info_; }
  const WeightsFile& file() const { return *file_; }

  /// Router tensors of routed layer `layer`: "query" or "key" side; biases may be absent.
  Result<TensorView> RouterWeight(std::int32_t layer, bool query) const;
  Result<std::optional<TensorView>> RouterBias(std::int32_t layer, bool query) const;
  /// Whether any projection of `layer` has a change in `tower`.
  bool ChangesLayer(Tower tower, std::int32_t layer) const;
  /// The change of a projection, if there is one. kCorruption when its shapes do not fit.
  Result<std::optional<LowRankUpdate>> UpdateOf(const ModelConfig& config, Tower tower,
                                                TensorId id) const;
  /// Whether `name` is a tensor of the language tower: no segment depends on it.
  static bool IsForAnswers(std::string_view name);

 private:
  Adapter() = default;
  Status ReadSettings(std::string_view json, const ModelConfig& config);
  Result<TensorView> Find(const std::string& name, std::int64_t rows, std::int64_t cols) const;

  AdapterInfo info_;
  std::int64_t hidden_ = 0;
  std::unique_ptr<WeightsFile> file_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_ADAPTER_H_
