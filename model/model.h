// A language model in memory: settings, tokenizer, weights on a backend, routers. Immutable.
#ifndef KVASIR_MODEL_MODEL_H_
#define KVASIR_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"
#include "model/adapter.h"
#include "model/config.h"
#include "model/fingerprint.h"
#include "model/router.h"
#include "model/tokenizer.h"
#include "model/weights.h"
#include "model/weights_file.h"

namespace kvasir::model {

struct LoadOptions {
  /// Path of a kvasir adapter; empty: the model's own routers or projections route.
  std::string adapter = {};
  /// Tokens of the template head (msa.md §3.6). Empty: `<|im_start|>user\n` by the tokenizer, or
  /// no head when there is no tokenizer or its vocabulary has no `<|im_start|>`.
  std::vector<std::int32_t> template_head = {};
};

/// The opened files that a model is made of.
struct ModelParts {
  std::unique_ptr<WeightsFile> weights;  ///< Read while loading, closed after it.
  ModelConfig config;
  std::optional<Tokenizer> tokenizer;  ///< Only models of tests have none.
};

/// One loaded model. Any thread may use it; Encoder and Question hold the state of a run.
class Model {
 public:
  /// `path`: a GGUF file, or a folder with config.json, tokenizer.json and safetensors (sharded or
  /// not); architectures llama, qwen3, msa. Cost: reads all weights twice (fingerprint, the
  /// backend's layout). Errors: kNotFound, kCorruption (the file is not what it says),
  /// kInvalidArgument (an adapter that does not fit), kUnavailable (an architecture that kvasir
  /// cannot run), the backend's.
  static Result<std::shared_ptr<const Model>> Load(const std::string& path,
                                                   std::shared_ptr<compute::Backend> backend,
                                                   const LoadOptions& options = {});
  /// The same from opened parts.
  static Result<std::shared_ptr<const Model>> Assemble(ModelParts parts,
                                                       std::shared_ptr<compute::Backend> backend,
                                                       const LoadOptions& options = {});

  const ModelConfig& config() const { return config_; }
  /// Null for models of tests that have none; never after Load.
  const Tokenizer* tokenizer() const { return tokenizer_ ? &*tokenizer_ : nullptr; }
  const RouterSpec& router() const { return router_; }
  /// Null without an adapter.
  const AdapterInfo* adapter() const { return adapter_ ? &*adapter_ : nullptr; }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  /// One line each, for the user: for example that the checkpoint's training normalised router
  /// vectors and its inference does not (msa.md §4).
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Numbers of one token's or chunk's key, and of its value, in one layer: H_kv · D.
  std::int64_t key_value_dim() const { return config_.kv_width(); }
  const std::vector<std::int32_t>& template_head() const { return template_head_; }

  /// For Encoder and Question.
  compute::Backend& backend() const { return *backend_; }
  const Weights& weights() const { return *weights_; }

 private:
  Model() = default;
  Status LoadParts(const ModelParts& parts, const LoadOptions& options);
  Status ChooseTemplateHead(const LoadOptions& options);
  Status EncodeTemplateHead();

  ModelConfig config_;
  std::optional<Tokenizer> tokenizer_;
  RouterSpec router_;
  std::optional<AdapterInfo> adapter_;
  Fingerprint fingerprint_{};
  std::vector<std::string> warnings_;
  std::vector<std::int32_t> template_head_;
  std::shared_ptr<compute::Backend> backend_;  // Outlives the weights, which live in it.
  std::unique_ptr<Weights> weights_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_MODEL_H_
