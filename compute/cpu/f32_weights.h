// A small weight matrix in float32, in the panels of this CPU's kernel: routers, low-rank changes.
#ifndef KVASIR_COMPUTE_CPU_F32_WEIGHTS_H_
#define KVASIR_COMPUTE_CPU_F32_WEIGHTS_H_

#include <cstdint>
#include <span>

#include "compute/backend.h"
#include "compute/cpu/kernels.h"
#include "compute/host_memory.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Immutable. Takes nothing from the heap when it multiplies, and x and y may be parts of wider
/// rows: for products that happen for every question, where oneDNN's set-up costs as much as they.
class F32Weights {
 public:
  /// kCorruption for a weight that is not finite.
  static Result<F32Weights> Make(std::span<const HostMatrix> parts, const Kernels& kernels);

  std::int64_t out() const { return panels_.out; }
  std::int64_t in() const { return panels_.in; }

  /// y [T, out] = (or +=) x [T, in] · Wᵀ on up to `threads` threads.
  void Multiply(ConstRows x, Rows y, bool accumulate, int threads) const;
  /// The same on the caller's thread alone.
  void Multiply(ConstRows x, Rows y, bool accumulate) const;
  /// Writes weight row `row`: in() floats.
  void ReadRow(std::int64_t row, float* to) const;

 private:
  explicit F32Weights(const Kernels& kernels) : kernels_(&kernels) {}

  const Kernels* kernels_;
  F32Panels panels_{};
  AlignedArray<float> data_;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_F32_WEIGHTS_H_
