#include "tests/unit/model/tiny_model.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <span>

#include "model/safetensors.h"
#include "tests/support/source_dir.h"

namespace kvasir::model {

std::filesystem::path TinyFolder() {
  return test::SourceDir() / "tests" / "golden" / "vectors" / "cosine";
}

Result<std::shared_ptr<const Model>> LoadTinyModel(const TinyOptions& options) {
  const auto folder = options.folder.empty() ? TinyFolder() : options.folder;
  std::ifstream config_file(TinyFolder() / "config.json");
  const std::string text(std::istreambuf_iterator<char>(config_file), {});
  KVASIR_ASSIGN_OR_RETURN(ModelConfig config, ConfigFromJson(text, "config.json"));
  if (!options.routers) {
    config.architecture = Architecture::kQwen3;
    config.msa.reset();
  }
  KVASIR_ASSIGN_OR_RETURN(auto weights, OpenWeights(folder));
  KVASIR_ASSIGN_OR_RETURN(
      auto backend, compute::MakeBackend(
                        {.name = options.backend, .precision = options.precision, .threads = 1}));
  return Model::Assemble(
      {.weights = std::move(weights), .config = config, .tokenizer = std::nullopt},
      std::move(backend), {.adapter = options.adapter, .template_head = {1, 3, 4}});
}

std::shared_ptr<const Model> TinyModel(const TinyOptions& options) {
  auto model = LoadTinyModel(options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? *model : nullptr;
}

std::vector<std::int32_t> TinyTokens(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int32_t> tokens(count);
  for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random() % 512);
  return tokens;
}

void WriteSafetensors(const std::filesystem::path& path, const HostTensors& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
    header[name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const auto length = static_cast<std::uint64_t>(text.size());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file << text << data;
}

HostTensors TinyWeights() {
  HostTensors tensors;
  auto file = SafetensorsFile::Open(TinyFolder() / "model.safetensors");
  EXPECT_TRUE(file.ok()) << file.status().message();
  for (const TensorView& view : (*file)->tensors()) {
    HostTensor& tensor = tensors[std::string(view.name)];
    tensor.shape = view.shape;
    tensor.values.resize(static_cast<std::size_t>(view.elements()));
    std::memcpy(tensor.values.data(), view.bytes.data(), view.bytes.size());
  }
  return tensors;
}

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "kvasir-model-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kvasir::model
