// Reads numbers and strings off untrusted bytes, never past their end.
#ifndef KVASIR_MODEL_GGUF_CURSOR_H_
#define KVASIR_MODEL_GGUF_CURSOR_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "kvasir/status.h"

namespace kvasir::model {

class GgufCursor {
 public:
  explicit GgufCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  /// The next `size` bytes; kCorruption when fewer are left.
  Result<std::span<const std::byte>> Bytes(uint64_t size);
  /// A 64-bit length and so many bytes.
  Result<std::string_view> String();
  /// A 64-bit count of things of at least `smallest` bytes each: what the rest of the file cannot
  /// hold is refused before anything is allocated for it.
  Result<uint64_t> Count(std::string_view of_what, size_t smallest);

  template <typename T>
  Result<T> Number() {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    KVASIR_ASSIGN_OR_RETURN(const auto bytes, Bytes(sizeof(T)));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_GGUF_CURSOR_H_
