// safetensors: one file, or shards named by model.safetensors.index.json.
#ifndef KVASIR_MODEL_SAFETENSORS_H_
#define KVASIR_MODEL_SAFETENSORS_H_

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "model/mapped_file.h"
#include "model/weights_file.h"

namespace kvasir::model {

/// F32, F16 and BF16 tensors. A header may take 100 MB at most and nest 64 deep; ranges must lie
/// inside the file, fit type and shape exactly, and tile the data; names may not repeat, within a
/// shard or across shards. Shards are plain names in the index's own folder. Errors are
/// kCorruption with the file's name (kUnavailable: a type that is not supported).
class SafetensorsFile final : public WeightsFile {
 public:
  /// A single .safetensors file.
  static Result<std::unique_ptr<SafetensorsFile>> Open(const std::filesystem::path& path);
  /// A model.safetensors.index.json: every tensor must be in the shard that the index names.
  static Result<std::unique_ptr<SafetensorsFile>> OpenIndex(const std::filesystem::path& path);
  /// One file's bytes in memory, which must outlive the result. `name` stands in errors.
  static Result<std::unique_ptr<SafetensorsFile>> Parse(std::span<const std::byte> bytes,
                                                        std::filesystem::path name);

  TensorNaming naming() const override { return TensorNaming::kHuggingFace; }
  Result<std::string_view> MetadataString(std::string_view key) const override;
  /// `__metadata__` of all shards; a key that two shards give must have one value.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }

 private:
  explicit SafetensorsFile(std::filesystem::path name) : WeightsFile(std::move(name)) {}
  Status Read(std::span<const std::byte> bytes, std::string_view source);

  std::vector<MappedFile> shards_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::vector<std::unique_ptr<const std::string>> names_;  // What the TensorViews' names point to.
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_SAFETENSORS_H_
