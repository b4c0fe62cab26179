// Builds GGUF files in memory, right or wrong, one field at a time.
#ifndef KVASIR_TESTS_UNIT_MODEL_FILES_GGUF_WRITER_H_
#define KVASIR_TESTS_UNIT_MODEL_FILES_GGUF_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf.h"

namespace kvasir::testing {

class GgufWriter {
 public:
  using Type = model::GgufType;

  template <typename T>
  static void Put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  static void PutText(std::string& out, std::string_view text) {
    Put<uint64_t>(out, text.size());
    out += text;
  }

  template <typename T>
  GgufWriter& Value(std::string_view key, Type type, T value) {
    Key(key, type);
    Put(values_, value);
    return *this;
  }
  GgufWriter& U32(std::string_view key, uint32_t value) { return Value(key, Type::kU32, value); }
  GgufWriter& F32(std::string_view key, float value) { return Value(key, Type::kF32, value); }
  GgufWriter& Text(std::string_view key, std::string_view value) {
    Key(key, Type::kString);
    PutText(values_, value);
    return *this;
  }
  GgufWriter& Texts(std::string_view key, const std::vector<std::string>& texts) {
    Key(key, Type::kArray);
    Put(values_, Type::kString);
    Put<uint64_t>(values_, texts.size());
    for (const std::string& text : texts) PutText(values_, text);
    return *this;
  }
  GgufWriter& Ints(std::string_view key, const std::vector<int32_t>& numbers) {
    Key(key, Type::kArray);
    Put(values_, Type::kI32);
    Put<uint64_t>(values_, numbers.size());
    for (const int32_t number : numbers) Put(values_, number);
    return *this;
  }
  /// A value whose bytes the test makes itself.
  GgufWriter& Raw(std::string_view key, Type type, std::string_view bytes) {
    Key(key, type);
    values_ += bytes;
    return *this;
  }

  /// `dimensions` as the file has them: innermost first.
  GgufWriter& Tensor(std::string_view name, const std::vector<uint64_t>& dimensions, uint32_t type,
                     uint64_t offset) {
    PutText(tensors_, name);
    Put<uint32_t>(tensors_, static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) Put(tensors_, dimension);
    Put(tensors_, type);
    Put(tensors_, offset);
    ++tensor_count;
    return *this;
  }

  std::string Bytes() const {
    std::string out = magic;
    Put(out, version);
    Put(out, tensor_count);
    Put(out, value_count);
    out += values_ + tensors_;
    out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    return out + data;
  }

  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t tensor_count = 0;
  uint64_t value_count = 0;
  size_t alignment = 32;
  std::string data;

 private:
  void Key(std::string_view key, Type type) {
    PutText(values_, key);
    Put(values_, type);
    ++value_count;
  }

  std::string values_;
  std::string tensors_;
};

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_UNIT_MODEL_FILES_GGUF_WRITER_H_
