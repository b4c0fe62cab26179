// What GGUF and safetensors files have in common: named tensors in mapped memory.
#ifndef KVASIR_MODEL_WEIGHTS_FILE_H_
#define KVASIR_MODEL_WEIGHTS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compute/tensor_type.h"
#include "kvasir/status.h"

namespace kvasir::model {

/// A tensor inside a mapped file. Borrows from its WeightsFile. `bytes` may be unaligned
/// (safetensors promises nothing; GGUF aligns to 32).
struct TensorView {
  std::string_view name;
  compute::TensorType type = compute::TensorType::kF32;
  std::vector<int64_t> shape;  ///< Outermost first, row major: [rows, cols]. Empty: a scalar.
  std::span<const std::byte> bytes;

  /// Product of the shape; it was checked against overflow when the file was opened.
  int64_t elements() const;
  /// Length of one row (the last dimension), 1 for a scalar.
  int64_t cols() const { return shape.empty() ? 1 : shape.back(); }
  /// elements() / cols(), 0 when there is nothing.
  int64_t rows() const { return cols() == 0 ? 0 : elements() / cols(); }
  /// The bytes of rows [first, first + count), which must lie inside.
  std::span<const std::byte> Rows(int64_t first, int64_t count) const;
};

/// Which names a file gives its tensors (tensor_names.h translates).
enum class TensorNaming { kGguf, kHuggingFace };

/// An opened model file. All sizes and offsets were checked when it was opened. Immutable and so
/// thread-safe; TensorViews live as long as it does.
class WeightsFile {
 public:
  virtual ~WeightsFile() = default;
  WeightsFile(const WeightsFile&) = delete;
  WeightsFile& operator=(const WeightsFile&) = delete;

  virtual TensorNaming naming() const = 0;
  /// The value of a metadata key that holds a string; kNotFound without one.
  virtual Result<std::string_view> MetadataString(std::string_view key) const = 0;

  /// The tensor of that name, as the file writes it; kNotFound names the file and the tensor.
  Result<TensorView> Find(std::string_view name) const;
  bool Contains(std::string_view name) const { return index_.contains(name); }
  /// Every tensor, in the file's order.
  std::span<const TensorView> tensors() const { return tensors_; }
  const std::filesystem::path& path() const { return path_; }

 protected:
  explicit WeightsFile(std::filesystem::path path) : path_(std::move(path)) {}
  /// Takes a checked tensor whose name outlives this object; kCorruption when the name is there
  /// already.
  Status Add(TensorView tensor);

 private:
  std::filesystem::path path_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, size_t> index_;
};

/// Bytes that a tensor of this type and shape takes. kCorruption when a dimension is negative, the
/// product overflows, or a row is not a whole number of blocks.
Result<int64_t> TensorBytes(compute::TensorType type, std::span<const int64_t> shape);

/// Opens a .gguf file, a .safetensors file, a model.safetensors.index.json, or a folder that holds
/// model.safetensors or that index. What a file is gets decided by its first bytes.
Result<std::unique_ptr<WeightsFile>> OpenWeights(const std::filesystem::path& path);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_WEIGHTS_FILE_H_
