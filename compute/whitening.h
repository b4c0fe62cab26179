// How alike two router vectors are within one space: the cosine after what varies most among the
// space's keys has been shrunk. In a space about one thing all keys point much the same way, and
// what tells its memories apart is in the directions that vary little (docs/recall.md).
#ifndef KVASIR_COMPUTE_WHITENING_H_
#define KVASIR_COMPUTE_WHITENING_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "compute/cpu/f32_weights.h"
#include "kvasir/status.h"

namespace kvasir::compute {

/// Immutable; every method may be called from any thread.
class Whitening {
 public:
  /// Of the covariance C of `keys` [n, dim], all finite, n ≥ 1: with m the mean of C's eigenvalues,
  /// Σ = C + (1 + 3 dim / n) m I, so that few keys say little. Costs n · dim² + dim³ / 3
  /// multiplications on up to `threads` threads. kInvalidArgument for a wrong size, kCorruption for
  /// a number that is not finite, kUnavailable without memory.
  static Result<Whitening> Make(std::span<const float> keys, std::int64_t dim, int threads);

  /// unit [n, dim] of vectors [n, dim]: L⁻¹x of each x, Σ = L Lᵀ, as a unit vector (zeros of
  /// zeros). The dot product of two is their cosine under Σ⁻¹. Costs dim² multiplications a vector.
  Status Apply(std::span<const float> vectors, std::span<float> unit, int threads) const;

  std::int64_t dim() const { return inverse_.back().in(); }
  std::int64_t Bytes() const;

 private:
  explicit Whitening(std::vector<cpu::F32Weights> inverse) : inverse_(std::move(inverse)) {}

  std::vector<cpu::F32Weights> inverse_;  ///< L⁻¹ in runs of rows, zeros on their right left out.
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_WHITENING_H_
