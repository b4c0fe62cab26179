#include "compute/mapped_memory.h"

#include <sys/mman.h>

namespace kvasir::compute {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t RoundUp(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::uint8_t* Map(std::size_t bytes, int more_flags) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(memory);
}

}  // namespace

MappedMemory MappedMemory::Map(std::size_t bytes, bool will_fill) {
  bytes = RoundUp(bytes, kPage);
  if (!will_fill || bytes < kHugePage) {
    return {compute::Map(bytes, will_fill ? MAP_POPULATE : 0), bytes};
  }
  std::uint8_t* const begin = compute::Map(bytes + kHugePage, 0);
  if (begin == nullptr) return {};
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t skipped = RoundUp(address, kHugePage) - address;
  if (skipped > 0) (void)munmap(begin, skipped);
  std::uint8_t* const data = begin + skipped;
  (void)munmap(data + bytes, kHugePage - skipped);
  // Advice: without it the memory is as good, only slower to fill.
  (void)madvise(data, bytes, MADV_HUGEPAGE);
  return {data, bytes};
}

MappedMemory::~MappedMemory() {
  if (data_ != nullptr) (void)munmap(data_, bytes_);
}

}  // namespace kvasir::compute
