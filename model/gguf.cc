#include "model/gguf.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "model/gguf_cursor.h"

namespace kvasir::model {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint32_t kVersion = 3;
constexpr size_t kMaxKeyBytes = 65535;  // These three are the format's own limits.
constexpr size_t kMaxNameBytes = 64;
constexpr uint32_t kMaxDimensions = 4;
constexpr uint64_t kMaxAlignment = 1 << 16;

/// The types that kvasir can compute with, by their numbers in the file.
std::optional<compute::TensorType> TensorTypeOf(uint32_t number) {
  using compute::TensorType;
  switch (number) {
    case 0:
      return TensorType::kF32;
    case 1:
      return TensorType::kF16;
    case 2:
      return TensorType::kQ4_0;
    case 3:
      return TensorType::kQ4_1;
    case 6:
      return TensorType::kQ5_0;
    case 7:
      return TensorType::kQ5_1;
    case 8:
      return TensorType::kQ8_0;
    case 12:
      return TensorType::kQ4_K;
    case 13:
      return TensorType::kQ5_K;
    case 14:
      return TensorType::kQ6_K;
    case 30:
      return TensorType::kBF16;
    default:
      return std::nullopt;
  }
}

/// A row of the tensor table: everything but the bytes, which `offset` finds in the data section.
struct TensorEntry {
  TensorView view;
  uint64_t offset = 0;
  uint64_t size = 0;
};

Result<std::vector<int64_t>> ReadShape(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const auto dimensions, cursor.Number<uint32_t>());
  if (dimensions > kMaxDimensions) {
    return Corruption(std::to_string(dimensions) + " dimensions, at most 4 are allowed");
  }
  std::vector<int64_t> shape(dimensions);
  // The file counts from the innermost dimension, we from the outermost.
  for (auto dimension = shape.rbegin(); dimension != shape.rend(); ++dimension) {
    KVASIR_ASSIGN_OR_RETURN(const auto length, cursor.Number<uint64_t>());
    if (length == 0 || length > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Corruption("a dimension of " + std::to_string(length));
    }
    *dimension = static_cast<int64_t>(length);
  }
  return shape;
}

Status ReadTensorBody(GgufCursor& cursor, TensorEntry& entry) {
  KVASIR_ASSIGN_OR_RETURN(entry.view.shape, ReadShape(cursor));
  KVASIR_ASSIGN_OR_RETURN(const auto number, cursor.Number<uint32_t>());
  KVASIR_ASSIGN_OR_RETURN(entry.offset, cursor.Number<uint64_t>());
  const auto type = TensorTypeOf(number);
  if (!type) {
    return Unavailable("tensor type " + std::to_string(number) +
                       " is not supported; use F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, "
                       "Q4_K, Q5_K or Q6_K");
  }
  entry.view.type = *type;
  KVASIR_ASSIGN_OR_RETURN(const int64_t size, TensorBytes(*type, entry.view.shape));
  entry.size = static_cast<uint64_t>(size);
  return Status::Ok();
}

Result<TensorEntry> ReadTensor(GgufCursor& cursor) {
  TensorEntry entry;
  KVASIR_ASSIGN_OR_RETURN(entry.view.name, cursor.String());
  if (entry.view.name.empty() || entry.view.name.size() > kMaxNameBytes) {
    return Corruption("a tensor's name has " + std::to_string(entry.view.name.size()) +
                      " bytes, 1 to 64 are allowed");
  }
  KVASIR_RETURN_IF_ERROR(
      ReadTensorBody(cursor, entry).WithContext("tensor \"" + std::string(entry.view.name) + "\""));
  return entry;
}

/// Gives every entry its bytes: inside the data section, aligned, none shared by two.
Status PlaceTensors(std::vector<TensorEntry>& entries, std::span<const std::byte> data,
                    uint64_t alignment) {
  for (TensorEntry& entry : entries) {
    const std::string name(entry.view.name);
    if (entry.offset % alignment != 0) return Corruption("tensor \"" + name + "\" is not aligned");
    if (entry.offset > data.size() || entry.size > data.size() - entry.offset) {
      return Corruption("tensor \"" + name + "\" runs past the end of the file (" +
                        std::to_string(entry.size) + " bytes at data offset " +
                        std::to_string(entry.offset) + " of " + std::to_string(data.size()) + ")");
    }
    entry.view.bytes = data.subspan(entry.offset, entry.size);
  }
  std::vector<const TensorEntry*> sorted;
  sorted.reserve(entries.size());
  for (const TensorEntry& entry : entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, &TensorEntry::offset);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1]->offset + sorted[i - 1]->size > sorted[i]->offset) {
      return Corruption("tensors \"" + std::string(sorted[i - 1]->view.name) + "\" and \"" +
                        std::string(sorted[i]->view.name) + "\" overlap");
    }
  }
  return Status::Ok();
}

Status CheckHeader(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const auto magic, cursor.Number<uint32_t>());
  if (magic != kMagic) return Corruption("not a GGUF file");
  KVASIR_ASSIGN_OR_RETURN(const auto version, cursor.Number<uint32_t>());
  if (version == __builtin_bswap32(kVersion)) {
    return Unavailable("big-endian GGUF is not supported");
  }
  if (version != kVersion) {
    return Unavailable("GGUF version " + std::to_string(version) + ", only 3 is supported");
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<GgufFile>> GgufFile::Open(const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  KVASIR_ASSIGN_OR_RETURN(auto file, Parse(mapped.bytes(), path));
  file->file_ = std::make_unique<MappedFile>(std::move(mapped));
  return file;
}

Result<std::unique_ptr<GgufFile>> GgufFile::Parse(std::span<const std::byte> bytes,
                                                  std::filesystem::path name) {
  std::unique_ptr<GgufFile> file(new GgufFile(std::move(name)));
  KVASIR_RETURN_IF_ERROR(file->Read(bytes).WithContext(file->path().string()));
  return file;
}

Status GgufFile::Read(std::span<const std::byte> bytes) {
  GgufCursor cursor(bytes);
  KVASIR_RETURN_IF_ERROR(CheckHeader(cursor));
  // The smallest tensor entry: a name's length, no dimensions, type, offset.
  KVASIR_ASSIGN_OR_RETURN(const uint64_t tensor_count, cursor.Count("tensors", 8 + 4 + 4 + 8));
  // The smallest value: a key's length, its type, one byte.
  KVASIR_ASSIGN_OR_RETURN(const uint64_t value_count, cursor.Count("metadata values", 8 + 4 + 1));
  for (uint64_t i = 0; i < value_count; ++i) {
    KVASIR_ASSIGN_OR_RETURN(const std::string_view key, cursor.String());
    if (key.empty() || key.size() > kMaxKeyBytes) {
      return Corruption("a metadata key has " + std::to_string(key.size()) + " bytes");
    }
    auto value = ReadGgufValue(cursor);
    if (!value.ok()) return value.status().WithContext("metadata \"" + std::string(key) + "\"");
    if (!values_.emplace(key, std::move(value).value()).second) {
      return Corruption("metadata \"" + std::string(key) + "\" is there twice");
    }
    keys_.push_back(key);
  }
  return ReadTensors(cursor, bytes, tensor_count);
}

Status GgufFile::ReadTensors(GgufCursor& cursor, std::span<const std::byte> bytes, uint64_t count) {
  std::vector<TensorEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    KVASIR_ASSIGN_OR_RETURN(entries.emplace_back(), ReadTensor(cursor));
  }
  uint64_t alignment = 32;
  if (const GgufValue* value = FindValue("general.alignment")) {
    const auto* given = std::get_if<uint64_t>(value);
    if (given == nullptr || !std::has_single_bit(*given) || *given > kMaxAlignment) {
      return Corruption("general.alignment is not a power of two up to 65536");
    }
    alignment = *given;
  }
  const uint64_t padding = (alignment - cursor.position() % alignment) % alignment;
  std::span<const std::byte> data;
  if (!entries.empty()) {
    KVASIR_RETURN_IF_ERROR(cursor.Bytes(padding).status());
    data = bytes.subspan(cursor.position());
  }
  KVASIR_RETURN_IF_ERROR(PlaceTensors(entries, data, alignment));
  for (TensorEntry& entry : entries) KVASIR_RETURN_IF_ERROR(Add(std::move(entry.view)));
  return Status::Ok();
}

const GgufValue* GgufFile::FindValue(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Status GgufFile::Lacks(std::string_view key) const {
  return NotFound(path().string() + ": no metadata \"" + std::string(key) + "\"");
}

Status GgufFile::IsNot(std::string_view key, std::string_view kind) const {
  return Corruption(path().string() + ": metadata \"" + std::string(key) + "\" is not " +
                    std::string(kind));
}

Result<std::string_view> GgufFile::MetadataString(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Lacks(key);
  if (const auto* text = std::get_if<std::string_view>(value)) return *text;
  return IsNot(key, "a string");
}

Result<int64_t> GgufFile::Integer(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Lacks(key);
  if (const auto* number = std::get_if<int64_t>(value)) return *number;
  if (const auto* number = std::get_if<uint64_t>(value)) {
    if (std::in_range<int64_t>(*number)) return static_cast<int64_t>(*number);
  }
  return IsNot(key, "an integer");
}

Result<double> GgufFile::Number(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Lacks(key);
  if (const auto* number = std::get_if<double>(value)) {
    if (!std::isfinite(*number)) return IsNot(key, "a finite number");
    return *number;
  }
  KVASIR_ASSIGN_OR_RETURN(const int64_t integer, Integer(key));
  return static_cast<double>(integer);
}

Result<bool> GgufFile::Bool(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Lacks(key);
  if (const auto* truth = std::get_if<bool>(value)) return *truth;
  return IsNot(key, "a truth value");
}

Result<const GgufArray*> GgufFile::Array(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Lacks(key);
  const auto* array = std::get_if<std::unique_ptr<GgufArray>>(value);
  if (array == nullptr) return IsNot(key, "an array");
  return array->get();
}

Result<std::span<const std::string_view>> GgufFile::Strings(std::string_view key) const {
  KVASIR_ASSIGN_OR_RETURN(const GgufArray* array, Array(key));
  if (array->element != GgufType::kString) return IsNot(key, "an array of strings");
  return std::span<const std::string_view>(array->strings);
}

}  // namespace kvasir::model
