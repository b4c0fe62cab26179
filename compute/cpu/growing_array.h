// Workspace of a stream: memory that grows to the largest need seen and stays.
#ifndef KVASIR_COMPUTE_CPU_GROWING_ARRAY_H_
#define KVASIR_COMPUTE_CPU_GROWING_ARRAY_H_

#include <cstdint>

#include "compute/host_memory.h"

namespace kvasir::compute::cpu {

/// Memory for T, 64-byte aligned, contents undefined after each growth. One thread at a time.
template <typename T>
class GrowingArray {
 public:
  /// Room for `count` elements; false when there is no memory.
  bool Reserve(std::int64_t count) {
    if (count <= size_) return true;
    // A quarter more than asked for: a context that grows token by token grows this rarely.
    const std::int64_t size = count + count / 4;
    memory_.reset();
    memory_ = AllocateAligned<T>(size);
    size_ = memory_ == nullptr ? 0 : size;
    return memory_ != nullptr;
  }
  T* data() const { return memory_.get(); }

 private:
  AlignedArray<T> memory_;
  std::int64_t size_ = 0;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_GROWING_ARRAY_H_
