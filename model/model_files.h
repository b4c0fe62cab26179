// Everything that a model's files say, opened together.
#ifndef KVASIR_MODEL_MODEL_FILES_H_
#define KVASIR_MODEL_MODEL_FILES_H_

#include <filesystem>
#include <memory>

#include "kvasir/status.h"
#include "model/config.h"
#include "model/tokenizer.h"
#include "model/weights_file.h"

namespace kvasir::model {

struct ModelFiles {
  std::unique_ptr<WeightsFile> weights;
  ModelConfig config;
  Tokenizer tokenizer;
};

/// A .gguf file, or a folder (or a file in it) with config.json, tokenizer.json and safetensors.
/// The tokenizer must not know ids past the model's vocabulary. Tensors are looked up later
/// (tensor_names.h).
Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_MODEL_FILES_H_
