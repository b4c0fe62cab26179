// Memory and weights of the backends that run on the CPU.
#ifndef KVASIR_COMPUTE_HOST_MEMORY_H_
#define KVASIR_COMPUTE_HOST_MEMORY_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"

namespace kvasir::compute {

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};
/// Memory aligned to 64 bytes: a cache line, and the widest vector.
template <typename T>
using AlignedArray = std::unique_ptr<T[], FreeDeleter>;

/// `count` uninitialised elements aligned to 64 bytes; null when there is no memory.
template <typename T>
AlignedArray<T> AllocateAligned(std::int64_t count) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t bytes =
      (static_cast<std::size_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  return AlignedArray<T>(static_cast<T*>(std::aligned_alloc(kAlignment, bytes + kAlignment)));
}

/// A Buffer on the heap. kInvalidArgument for a negative size, kUnavailable when memory is short.
Result<std::unique_ptr<Buffer>> AllocateHostBuffer(std::int64_t floats);

/// What LoadMatrix was given, checked: every part's shape, and bytes that fit it.
struct StackedShape {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};
Result<StackedShape> CheckParts(std::span<const HostMatrix> parts);

/// Whether low-rank changes fit a matrix: shapes, and bytes that fit them.
Status CheckUpdates(const Matrix& base, std::span<const LowRankUpdate> updates);

/// Dequantises the stacked parts into out [rows, cols].
Status DequantizeParts(std::span<const HostMatrix> parts, std::span<float> out);

/// The part of a stream that is the same for every backend whose memory is the host's.
class HostStream : public Stream {
 public:
  Status Synchronize() override { return Status::Ok(); }
  void Upload(std::span<const float> host, Rows to) override;
  void Download(ConstRows from, std::span<float> host) override;
  void Copy(ConstRows from, Rows to) override;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_HOST_MEMORY_H_
