// The one door to oneDNN: y = x · Wᵀ in float32 with weights packed once.
#ifndef KVASIR_COMPUTE_CPU_ONEDNN_MATMUL_H_
#define KVASIR_COMPUTE_CPU_ONEDNN_MATMUL_H_

#include <cstdint>
#include <memory>

#include "compute/backend.h"
#include "compute/cpu/isa.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Keeps oneDNN from using more than `isa`. Must come before anything else here; the first call
/// decides for the process.
void CapOneDnn(Isa isa);

/// Weights [out, in] in the layout that oneDNN likes best. Immutable; Multiply may be called by
/// many threads at once.
class OneDnnWeights {
 public:
  /// Packs `w` [out, in]. kUnavailable when oneDNN refuses or memory is short.
  static Result<std::unique_ptr<OneDnnWeights>> Make(ConstRows w);
  virtual ~OneDnnWeights() = default;

  /// y = x · Wᵀ, or y += when `accumulate`, on up to `threads` threads. Rows are taken in runs of
  /// powers of two, so that the few primitives ever needed are made once and found again.
  virtual Status Multiply(ConstRows x, Rows y, bool accumulate, int threads) const = 0;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ONEDNN_MATMUL_H_
