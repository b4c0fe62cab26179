// Little-endian numbers, varints and length-prefixed strings to and from bytes that may be hostile.
#ifndef STORAGE_CODING_H_
#define STORAGE_CODING_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace kvasir::storage {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

/// Appends to a string it borrows.
class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void Fixed(const T& value) { out_->append(reinterpret_cast<const char*>(&value), sizeof(T)); }
  void Varint(std::uint64_t value);
  void Bytes(std::string_view bytes) {
    Varint(bytes.size());
    out_->append(bytes);
  }

 private:
  std::string* out_;
};

/// Reads what ByteWriter wrote. After the first thing that does not fit, ok() is false for good and
/// every read gives zero or empty: check once at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

  template <typename T>
  requires std::is_trivially_copyable_v<T> T Fixed() {
    T value{};
    if (rest_.size() < sizeof(T)) return Fail<T>();
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::uint64_t Varint();
  /// A varint that must not exceed `limit`.
  std::uint64_t Bounded(std::uint64_t limit);
  std::string_view Bytes(std::size_t limit);

 private:
  template <typename T>
  T Fail() {
    ok_ = false;
    rest_ = {};
    return T{};
  }
  std::string_view rest_;
  bool ok_ = true;
};

/// Appends XXH3-64 of `checked_key` and everything in `row`.
void SealRow(std::string* row, std::string_view checked_key);
/// True, and `payload` without the checksum, if SealRow wrote `row` under this key.
bool OpenRow(std::string_view row, std::string_view checked_key, std::string_view* payload);

}  // namespace kvasir::storage

#endif  // STORAGE_CODING_H_
