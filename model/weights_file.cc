#include "model/weights_file.h"

#include <algorithm>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "model/gguf.h"
#include "model/mapped_file.h"
#include "model/safetensors.h"

namespace kvasir::model {

int64_t TensorView::elements() const {
  int64_t product = 1;
  for (const int64_t dimension : shape) product *= dimension;
  return product;
}

std::span<const std::byte> TensorView::Rows(int64_t first, int64_t count) const {
  const auto row = static_cast<size_t>(compute::RowBytes(type, cols()));
  return bytes.subspan(static_cast<size_t>(first) * row, static_cast<size_t>(count) * row);
}

Result<TensorView> WeightsFile::Find(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) {
    return NotFound(path_.string() + ": no tensor \"" + std::string(name) + "\"");
  }
  return tensors_[found->second];
}

Status WeightsFile::Add(TensorView tensor) {
  if (!index_.emplace(tensor.name, tensors_.size()).second) {
    return Corruption(path_.string() + ": two tensors are called \"" + std::string(tensor.name) +
                      "\"");
  }
  tensors_.push_back(std::move(tensor));
  return Status::Ok();
}

Result<int64_t> TensorBytes(compute::TensorType type, std::span<const int64_t> shape) {
  // No file is larger, so this also keeps elements × bytes per block far from overflow.
  constexpr int64_t kMaxElements = std::numeric_limits<int64_t>::max() / 8;
  int64_t elements = 1;
  bool empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return Corruption("a dimension is negative");
    empty = empty || dimension == 0;
    // A zero does not excuse the others: TensorView::elements() multiplies in any order.
    const int64_t factor = std::max<int64_t>(dimension, 1);
    if (elements > kMaxElements / factor) return Corruption("the shape's product overflows");
    elements *= factor;
  }
  if (empty) return int64_t{0};
  const int64_t cols = shape.empty() ? 1 : shape.back();
  if (cols % compute::BlockElements(type) != 0) {
    return Corruption("rows of " + std::to_string(cols) + " numbers are not whole blocks of " +
                      std::string(compute::TensorTypeName(type)));
  }
  return compute::RowBytes(type, elements);
}

namespace {

/// "GGUF" opens a GGUF file, the name .json an index; a safetensors file begins with a length.
Result<std::unique_ptr<WeightsFile>> OpenByFirstBytes(const std::filesystem::path& path) {
  std::string magic;
  {
    KVASIR_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
    const auto head = file.bytes().first(std::min<size_t>(4, file.bytes().size()));
    magic.assign(reinterpret_cast<const char*>(head.data()), head.size());
  }
  if (magic == "GGUF") {
    KVASIR_ASSIGN_OR_RETURN(auto file, GgufFile::Open(path));
    return std::unique_ptr<WeightsFile>(std::move(file));
  }
  // The name says what was meant: "not a safetensors file" would send its reader the wrong way.
  if (path.extension() == ".gguf") {
    return Corruption(path.string() + ": not a GGUF file: " +
                      (magic.empty() ? "it is empty" : "its first bytes are not \"GGUF\""));
  }
  auto opened =
      path.extension() == ".json" ? SafetensorsFile::OpenIndex(path) : SafetensorsFile::Open(path);
  KVASIR_ASSIGN_OR_RETURN(auto file, std::move(opened));
  return std::unique_ptr<WeightsFile>(std::move(file));
}

}  // namespace

Result<std::unique_ptr<WeightsFile>> OpenWeights(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return OpenByFirstBytes(path);
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    const auto inside = path / name;
    if (std::filesystem::exists(inside, error)) return OpenByFirstBytes(inside);
  }
  return NotFound(path.string() +
                  ": no model.safetensors and no model.safetensors.index.json in this folder");
}

}  // namespace kvasir::model
