#include "model/gguf_cursor.h"

namespace kvasir::model {

Result<std::span<const std::byte>> GgufCursor::Bytes(uint64_t size) {
  if (size > remaining()) {
    return Corruption("cut off: " + std::to_string(size) + " bytes wanted at offset " +
                      std::to_string(position_) + ", " + std::to_string(remaining()) + " left");
  }
  const auto piece = bytes_.subspan(position_, static_cast<size_t>(size));
  position_ += piece.size();
  return piece;
}

Result<std::string_view> GgufCursor::String() {
  KVASIR_ASSIGN_OR_RETURN(const auto size, Number<uint64_t>());
  KVASIR_ASSIGN_OR_RETURN(const auto bytes, Bytes(size));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<uint64_t> GgufCursor::Count(std::string_view of_what, size_t smallest) {
  KVASIR_ASSIGN_OR_RETURN(const auto count, Number<uint64_t>());
  if (count > remaining() / smallest) {
    return Corruption(std::to_string(count) + " " + std::string(of_what) + " cannot lie in the " +
                      std::to_string(remaining()) + " bytes left at offset " +
                      std::to_string(position_));
  }
  return count;
}

}  // namespace kvasir::model
