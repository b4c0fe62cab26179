// The values of GGUF metadata.
#ifndef KVASIR_MODEL_GGUF_VALUE_H_
#define KVASIR_MODEL_GGUF_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::model {

class GgufCursor;

/// Value types of the format, by their numbers in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

struct GgufArray;

/// A metadata value: integers widened (a value past int64 stays unsigned), strings borrowed from
/// the mapped file. They are bytes: nothing says that they are UTF-8.
using GgufValue =
    std::variant<uint64_t, int64_t, double, bool, std::string_view, std::unique_ptr<GgufArray>>;

struct GgufArray {
  GgufType element = GgufType::kU8;
  std::vector<std::string_view> strings;           ///< When element is kString.
  std::vector<std::unique_ptr<GgufArray>> arrays;  ///< When element is kArray.
  uint64_t count = 0;
  std::span<const std::byte> packed;  ///< Fixed-size elements as they lie in the file.

  /// Element `i` (< count) of an integer array, sign kept; kInvalidArgument for other arrays.
  Result<int64_t> Integer(uint64_t i) const;
};

/// Reads a value's type and the value. Arrays may nest four deep; what cannot lie in the rest of
/// the file is refused before memory is taken for it.
Result<GgufValue> ReadGgufValue(GgufCursor& cursor);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_GGUF_VALUE_H_
