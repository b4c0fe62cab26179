#include "model/model_files.h"

#include <string>
#include <system_error>
#include <utility>

#include "model/gguf.h"
#include "model/json.h"

namespace kvasir::model {
namespace {

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr size_t kMaxTokenizerBytes = 256 << 20;

Result<ModelFiles> OpenCheckpoint(std::unique_ptr<WeightsFile> weights,
                                  const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json";
  const auto tokenizer_path = folder / "tokenizer.json";
  KVASIR_ASSIGN_OR_RETURN(const std::string config_text,
                          ReadTextFile(config_path, kMaxConfigBytes));
  KVASIR_ASSIGN_OR_RETURN(ModelConfig config, ConfigFromJson(config_text, config_path.string()));
  KVASIR_ASSIGN_OR_RETURN(const std::string tokenizer_text,
                          ReadTextFile(tokenizer_path, kMaxTokenizerBytes));
  KVASIR_ASSIGN_OR_RETURN(Tokenizer tokenizer,
                          Tokenizer::FromJson(tokenizer_text, tokenizer_path.string()));
  return ModelFiles{std::move(weights), std::move(config), std::move(tokenizer)};
}

Result<ModelFiles> OpenAny(const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(auto weights, OpenWeights(path));
  if (const auto* gguf = dynamic_cast<const GgufFile*>(weights.get())) {
    KVASIR_ASSIGN_OR_RETURN(ModelConfig config, ConfigFromGguf(*gguf));
    KVASIR_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::FromGguf(*gguf));
    return ModelFiles{std::move(weights), std::move(config), std::move(tokenizer)};
  }
  const auto folder = weights->path().parent_path();
  return OpenCheckpoint(std::move(weights), folder);
}

}  // namespace

Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(ModelFiles files, OpenAny(path));
  if (files.tokenizer.vocab_size() > files.config.vocab) {
    return Corruption(path.string() + ": the tokenizer knows " +
                      std::to_string(files.tokenizer.vocab_size()) + " tokens, the model only " +
                      std::to_string(files.config.vocab));
  }
  return files;
}

}  // namespace kvasir::model
