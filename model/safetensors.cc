#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "model/json.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // As the format's own library.
constexpr size_t kMaxIndexBytes = 64 << 20;
constexpr size_t kMaxDimensions = 8;

struct Header {
  std::string_view text;
  std::span<const std::byte> data;  ///< What the offsets count in.
};

Result<Header> SplitHeader(std::span<const std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t size = 0;
  if (bytes.size() < sizeof(size)) return Corruption("too short for a safetensors file");
  std::memcpy(&size, bytes.data(), sizeof(size));
  const auto rest = bytes.subspan(sizeof(size));
  if (size > kMaxHeaderBytes || size > rest.size()) {
    return Corruption("not a safetensors file: a header of " + std::to_string(size) +
                      " bytes cannot lie in it");
  }
  return Header{{reinterpret_cast<const char*>(rest.data()), static_cast<size_t>(size)},
                rest.subspan(static_cast<size_t>(size))};
}

Result<compute::TensorType> ReadType(const json& entry) {
  const json* dtype = Member(entry, "dtype");
  if (dtype == nullptr || !dtype->is_string()) return Corruption("no dtype");
  const auto& name = dtype->get_ref<const std::string&>();
  if (name == "F32") return compute::TensorType::kF32;
  if (name == "F16") return compute::TensorType::kF16;
  if (name == "BF16") return compute::TensorType::kBF16;
  return Unavailable("dtype " + name + " is not supported; use F32, F16 or BF16");
}

/// An array of integers that are not negative and fit in int64.
Result<std::vector<int64_t>> ReadIntegers(const json& entry, const char* key, size_t most) {
  const json* array = Member(entry, key);
  if (array == nullptr || !array->is_array() || array->size() > most) {
    return Corruption(std::string(key) + " is not an array of at most " + std::to_string(most) +
                      " numbers");
  }
  std::vector<int64_t> numbers;
  for (const json& element : *array) {
    if (!element.is_number_unsigned() || !std::in_range<int64_t>(element.get<uint64_t>())) {
      return Corruption(std::string(key) + " holds something else than natural numbers");
    }
    numbers.push_back(element.get<int64_t>());
  }
  return numbers;
}

struct Entry {
  TensorView view;
  int64_t begin = 0;
  int64_t end = 0;
};

Result<Entry> ReadEntry(const json& json_entry, std::span<const std::byte> data) {
  Entry entry;
  KVASIR_ASSIGN_OR_RETURN(entry.view.type, ReadType(json_entry));
  KVASIR_ASSIGN_OR_RETURN(entry.view.shape, ReadIntegers(json_entry, "shape", kMaxDimensions));
  KVASIR_ASSIGN_OR_RETURN(const auto range, ReadIntegers(json_entry, "data_offsets", 2));
  KVASIR_ASSIGN_OR_RETURN(const int64_t size, TensorBytes(entry.view.type, entry.view.shape));
  if (range.size() != 2 || range[0] > range[1] || std::cmp_greater(range[1], data.size())) {
    return Corruption("data_offsets do not lie inside the file");
  }
  if (range[1] - range[0] != size) {
    return Corruption("data_offsets span " + std::to_string(range[1] - range[0]) +
                      " bytes, its shape needs " + std::to_string(size));
  }
  entry.begin = range[0];
  entry.end = range[1];
  entry.view.bytes = data.subspan(static_cast<size_t>(entry.begin), static_cast<size_t>(size));
  return entry;
}

/// Tensors must tile the data: an overlap or a hole means that the header and the data do not
/// belong together.
Status CheckTiling(const std::vector<Entry>& entries, size_t data_size) {
  std::vector<const Entry*> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, [](const Entry* e) { return std::pair(e->begin, e->end); });
  int64_t expected = 0;
  for (const Entry* entry : sorted) {
    if (entry->begin != expected) {
      return Corruption("tensor \"" + std::string(entry->view.name) +
                        "\" overlaps another or leaves a hole before it");
    }
    expected = entry->end;
  }
  if (std::cmp_not_equal(expected, data_size)) {
    return Corruption("bytes after the last tensor");
  }
  return Status::Ok();
}

/// Adds the strings of a `__metadata__` object.
Status ReadMetadata(const json& object, std::map<std::string, std::string, std::less<>>& metadata) {
  if (!object.is_object()) return Corruption("__metadata__ is not an object");
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) return Corruption("__metadata__ " + Quoted(key) + " is not a string");
    const auto [at, is_new] = metadata.emplace(key, value.get<std::string>());
    if (!is_new && at->second != value.get_ref<const std::string&>()) {
      return Corruption("__metadata__ " + Quoted(key) + " differs between shards");
    }
  }
  return Status::Ok();
}

/// An index names its shards by plain names: nothing outside its own folder is ever opened.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

/// Tensor name to shard name.
Result<std::map<std::string, std::string>> ReadWeightMap(const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxIndexBytes));
  KVASIR_ASSIGN_OR_RETURN(const json index, ParseJson(text, path.string()));
  const json* map = Member(index, "weight_map");
  if (map == nullptr || !map->is_object() || map->empty()) {
    return Corruption(path.string() + ": no weight_map");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !IsPlainName(shard.get_ref<const std::string&>())) {
      return Corruption(path.string() + ": tensor " + Quoted(tensor) +
                        " is not in a plainly named file");
    }
    shard_of.emplace(tensor, shard.get<std::string>());
  }
  return shard_of;
}

}  // namespace

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Open(const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  KVASIR_ASSIGN_OR_RETURN(auto file, Parse(mapped.bytes(), path));
  file->shards_.push_back(std::move(mapped));
  return file;
}

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::OpenIndex(
    const std::filesystem::path& path) {
  KVASIR_ASSIGN_OR_RETURN(const auto shard_of, ReadWeightMap(path));
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  std::unique_ptr<SafetensorsFile> file(new SafetensorsFile(path));
  for (const std::string& shard : shards) {
    const auto shard_path = path.parent_path() / shard;
    KVASIR_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(shard_path));
    const size_t first = file->tensors().size();
    KVASIR_RETURN_IF_ERROR(file->Read(mapped.bytes(), shard_path.string()));
    file->shards_.push_back(std::move(mapped));
    for (const TensorView& tensor : file->tensors().subspan(first)) {
      const auto listed = shard_of.find(std::string(tensor.name));
      if (listed == shard_of.end() || listed->second != shard) {
        return Corruption(path.string() + ": does not say that tensor \"" +
                          std::string(tensor.name) + "\" is in " + shard);
      }
    }
  }
  for (const auto& [tensor, shard] : shard_of) {
    if (!file->Contains(tensor)) {
      return Corruption(path.string() + ": tensor " + Quoted(tensor) + " is not in " + shard);
    }
  }
  return file;
}

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Parse(std::span<const std::byte> bytes,
                                                                std::filesystem::path name) {
  std::unique_ptr<SafetensorsFile> file(new SafetensorsFile(std::move(name)));
  KVASIR_RETURN_IF_ERROR(file->Read(bytes, file->path().string()));
  return file;
}

Status SafetensorsFile::Read(std::span<const std::byte> bytes, std::string_view source) {
  auto header = SplitHeader(bytes);
  if (!header.ok()) return header.status().WithContext(source);
  KVASIR_ASSIGN_OR_RETURN(const json object, ParseJson(header->text, source));
  if (!object.is_object()) {
    return Corruption(std::string(source) + ": the header is not an object");
  }
  std::vector<Entry> entries;
  for (const auto& [name, value] : object.items()) {
    if (name == "__metadata__") {
      KVASIR_RETURN_IF_ERROR(ReadMetadata(value, metadata_).WithContext(source));
      continue;
    }
    auto entry = ReadEntry(value, header->data);
    if (!entry.ok()) {
      return entry.status().WithContext(std::string(source) + ": tensor " + Quoted(name));
    }
    names_.push_back(std::make_unique<const std::string>(name));
    entries.push_back(std::move(entry).value());
    entries.back().view.name = *names_.back();
  }
  KVASIR_RETURN_IF_ERROR(CheckTiling(entries, header->data.size()).WithContext(source));
  for (Entry& entry : entries) KVASIR_RETURN_IF_ERROR(Add(std::move(entry.view)));
  return Status::Ok();
}

Result<std::string_view> SafetensorsFile::MetadataString(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) {
    return NotFound(path().string() + ": no metadata \"" + std::string(key) + "\"");
  }
  return std::string_view(found->second);
}

}  // namespace kvasir::model
