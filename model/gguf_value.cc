#include "model/gguf_value.h"

#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "model/gguf_cursor.h"

namespace kvasir::model {
namespace {

constexpr int kMaxArrayDepth = 4;

/// Bytes of a fixed-size element, 0 for strings and arrays, nothing for an unknown type.
std::optional<size_t> ElementBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return std::nullopt;
}

Result<GgufType> ReadType(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const auto number, cursor.Number<uint32_t>());
  const auto type = static_cast<GgufType>(number);
  if (!ElementBytes(type)) return Corruption("unknown value type " + std::to_string(number));
  return type;
}

Result<std::unique_ptr<GgufArray>> ReadArray(GgufCursor& cursor, int depth) {
  if (depth == 0) return Corruption("arrays are nested too deep");
  auto array = std::make_unique<GgufArray>();
  KVASIR_ASSIGN_OR_RETURN(array->element, ReadType(cursor));
  const size_t size = *ElementBytes(array->element);
  if (array->element == GgufType::kString) {
    KVASIR_ASSIGN_OR_RETURN(array->count, cursor.Count("strings", sizeof(uint64_t)));
    array->strings.reserve(array->count);
    for (uint64_t i = 0; i < array->count; ++i) {
      KVASIR_ASSIGN_OR_RETURN(array->strings.emplace_back(), cursor.String());
    }
  } else if (array->element == GgufType::kArray) {
    KVASIR_ASSIGN_OR_RETURN(array->count, cursor.Count("arrays", 4 + sizeof(uint64_t)));
    for (uint64_t i = 0; i < array->count; ++i) {
      KVASIR_ASSIGN_OR_RETURN(array->arrays.emplace_back(), ReadArray(cursor, depth - 1));
    }
  } else {
    KVASIR_ASSIGN_OR_RETURN(array->count, cursor.Count("numbers", size));
    KVASIR_ASSIGN_OR_RETURN(array->packed, cursor.Bytes(array->count * size));
  }
  return array;
}

/// A number widened to the kind that GgufValue keeps.
template <typename T>
Result<GgufValue> ReadNumber(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const T value, cursor.Number<T>());
  if constexpr (std::is_floating_point_v<T>) {
    return GgufValue(static_cast<double>(value));
  } else if constexpr (std::is_signed_v<T>) {
    return GgufValue(static_cast<int64_t>(value));
  } else {
    return GgufValue(static_cast<uint64_t>(value));
  }
}

Result<GgufValue> ReadBool(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const auto value, cursor.Number<uint8_t>());
  if (value > 1) return Corruption("a truth value is " + std::to_string(value));
  return GgufValue(value == 1);
}

}  // namespace

Result<GgufValue> ReadGgufValue(GgufCursor& cursor) {
  KVASIR_ASSIGN_OR_RETURN(const GgufType type, ReadType(cursor));
  switch (type) {
    case GgufType::kU8:
      return ReadNumber<uint8_t>(cursor);
    case GgufType::kI8:
      return ReadNumber<int8_t>(cursor);
    case GgufType::kU16:
      return ReadNumber<uint16_t>(cursor);
    case GgufType::kI16:
      return ReadNumber<int16_t>(cursor);
    case GgufType::kU32:
      return ReadNumber<uint32_t>(cursor);
    case GgufType::kI32:
      return ReadNumber<int32_t>(cursor);
    case GgufType::kU64:
      return ReadNumber<uint64_t>(cursor);
    case GgufType::kI64:
      return ReadNumber<int64_t>(cursor);
    case GgufType::kF32:
      return ReadNumber<float>(cursor);
    case GgufType::kF64:
      return ReadNumber<double>(cursor);
    case GgufType::kBool:
      return ReadBool(cursor);
    case GgufType::kString: {
      KVASIR_ASSIGN_OR_RETURN(const std::string_view value, cursor.String());
      return GgufValue(value);
    }
    case GgufType::kArray: {
      KVASIR_ASSIGN_OR_RETURN(auto value, ReadArray(cursor, kMaxArrayDepth));
      return GgufValue(std::move(value));
    }
  }
  return Corruption("unknown value type");
}

Result<int64_t> GgufArray::Integer(uint64_t i) const {
  const auto read = [&]<typename T>(T value) {
    std::memcpy(&value, packed.data() + i * sizeof(T), sizeof(T));
    return static_cast<int64_t>(value);
  };
  if (i >= count) return InvalidArgument("index past the end of an array");
  switch (element) {
    case GgufType::kU8:
      return read(uint8_t{});
    case GgufType::kI8:
      return read(int8_t{});
    case GgufType::kU16:
      return read(uint16_t{});
    case GgufType::kI16:
      return read(int16_t{});
    case GgufType::kU32:
      return read(uint32_t{});
    case GgufType::kI32:
      return read(int32_t{});
    case GgufType::kI64:
      return read(int64_t{});
    default:
      return InvalidArgument("not an array of integers");
  }
}

}  // namespace kvasir::model
