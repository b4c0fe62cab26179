// Zeroed memory in whole pages of the system, for what is large and fills up.
#ifndef KVASIR_COMPUTE_MAPPED_MEMORY_H_
#define KVASIR_COMPUTE_MAPPED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

namespace kvasir::compute {

/// Its own mapping: never part of a heap, so that it begins at a page, costs nothing until it is
/// written and goes back to the system at once.
class MappedMemory {
 public:
  MappedMemory() = default;
  /// `bytes` zeroes, aligned to 4 KiB; false when there is no memory. If it `will_fill`, pages come
  /// 2 MiB at a time (aligned to that), or all at once where it is smaller: a fault for every 4 KiB
  /// takes longer than writing them.
  static MappedMemory Map(std::size_t bytes, bool will_fill);

  MappedMemory(MappedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedMemory();

  std::uint8_t* data() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  MappedMemory(std::uint8_t* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_MAPPED_MEMORY_H_
