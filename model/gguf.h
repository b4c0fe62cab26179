// GGUF version 3: metadata and tensors of a llama.cpp model file, in mapped memory.
#ifndef KVASIR_MODEL_GGUF_H_
#define KVASIR_MODEL_GGUF_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kvasir/status.h"
#include "model/gguf_value.h"
#include "model/mapped_file.h"
#include "model/weights_file.h"

namespace kvasir::model {

class GgufCursor;

/// Every count, length, offset, shape and type is checked against the file before it is used;
/// names and keys may not repeat, tensors may not overlap. Errors are kCorruption, one line, with
/// the file's name (kUnavailable: another version, big endian, or a tensor type not supported).
class GgufFile final : public WeightsFile {
 public:
  static Result<std::unique_ptr<GgufFile>> Open(const std::filesystem::path& path);
  /// The same over bytes in memory, which must outlive the result. `name` stands in errors.
  static Result<std::unique_ptr<GgufFile>> Parse(std::span<const std::byte> bytes,
                                                 std::filesystem::path name);

  TensorNaming naming() const override { return TensorNaming::kGguf; }
  Result<std::string_view> MetadataString(std::string_view key) const override;

  /// The value, or null when there is no such key.
  const GgufValue* FindValue(std::string_view key) const;
  /// kNotFound without the key, kCorruption when it holds another kind or does not fit.
  Result<int64_t> Integer(std::string_view key) const;
  Result<double> Number(std::string_view key) const;
  Result<bool> Bool(std::string_view key) const;
  Result<const GgufArray*> Array(std::string_view key) const;
  Result<std::span<const std::string_view>> Strings(std::string_view key) const;
  /// The keys in the file's order.
  std::span<const std::string_view> keys() const { return keys_; }

 private:
  explicit GgufFile(std::filesystem::path name) : WeightsFile(std::move(name)) {}
  Status Read(std::span<const std::byte> bytes);
  Status ReadTensors(GgufCursor& cursor, std::span<const std::byte> bytes, uint64_t count);
  Status Lacks(std::string_view key) const;
  Status IsNot(std::string_view key, std::string_view kind) const;

  std::unique_ptr<MappedFile> file_;
  std::vector<std::string_view> keys_;
  std::unordered_map<std::string_view, GgufValue> values_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_GGUF_H_
