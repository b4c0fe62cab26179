// Low-rank changes beside a matrix that stays as it is: y += b (a x).
#ifndef KVASIR_COMPUTE_CPU_LOW_RANK_H_
#define KVASIR_COMPUTE_CPU_LOW_RANK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "compute/cpu/f32_weights.h"
#include "compute/cpu/growing_array.h"
#include "compute/cpu/kernels.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// The a's of all changes are one matrix, so that x is read once; each b adds to its own outputs.
/// Float32 throughout. Immutable.
class LowRank {
 public:
  /// `updates` as CheckUpdates accepts them, at least one.
  static Result<LowRank> Make(std::span<const LowRankUpdate> updates, const Kernels& kernels);

  /// Adds to y [T, out] what the changes make of x [T, in]. `room` keeps the a x of each thread.
  /// Cost: rank · (in + out) products for each change and row.
  Status Add(ConstRows x, Rows y, int threads, GrowingArray<float>* room) const;

 private:
  struct Output {
    std::int64_t first_row;   ///< Of y's columns.
    std::int64_t first_rank;  ///< Of a x.
    F32Weights b;
  };

  explicit LowRank(F32Weights a) : a_(std::move(a)) {}

  F32Weights a_;  ///< [ranks of all changes, in]
  std::vector<Output> outputs_;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_LOW_RANK_H_
