// A tiny random MSA model (four layers, two of them routed, 8 tokens a chunk), for tests that want
// a whole model and no large file: one of the golden variants.
#ifndef KVASIR_TESTS_UNIT_MODEL_TINY_MODEL_H_
#define KVASIR_TESTS_UNIT_MODEL_TINY_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace kvasir::model {

struct TinyOptions {
  std::string adapter = {};           ///< Path; empty: none.
  std::filesystem::path folder = {};  ///< Of another model of this shape; empty: the golden one.
  bool routers = true;                ///< false: as if the checkpoint were a plain qwen3.
  std::string backend = "reference";
  compute::Precision precision = compute::Precision::kF32;
};

std::filesystem::path TinyFolder();
Result<std::shared_ptr<const Model>> LoadTinyModel(const TinyOptions& options = {});
/// The same, or a failed test and null.
std::shared_ptr<const Model> TinyModel(const TinyOptions& options = {});

/// `count` tokens of the tiny vocabulary, the same for the same seed.
std::vector<std::int32_t> TinyTokens(std::size_t count, std::uint64_t seed = 1);

/// Shape and values of a float32 tensor.
struct HostTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
using HostTensors = std::map<std::string, HostTensor>;

/// Writes a safetensors file.
void WriteSafetensors(const std::filesystem::path& path, const HostTensors& tensors,
                      const std::map<std::string, std::string>& metadata);
/// All tensors of the golden model's file.
HostTensors TinyWeights();

/// A folder of its own, gone with the object.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kvasir::model

#endif  // KVASIR_TESTS_UNIT_MODEL_TINY_MODEL_H_
