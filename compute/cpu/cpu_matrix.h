// A weight matrix of the cpu backend: in blocks for the integer kernels (Precision::kFast), in
// float32 for oneDNN (a backend of Precision::kF32), small ones of kF32 in float32 for our own
// kernel; and low-rank changes beside one of these.
#ifndef KVASIR_COMPUTE_CPU_CPU_MATRIX_H_
#define KVASIR_COMPUTE_CPU_CPU_MATRIX_H_

#include <memory>
#include <optional>
#include <span>

#include "compute/backend.h"
#include "compute/cpu/block_weights.h"
#include "compute/cpu/f32_weights.h"
#include "compute/cpu/isa.h"
#include "compute/cpu/low_rank.h"
#include "compute/cpu/onednn_matmul.h"
#include "compute/host_memory.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

class CpuMatrix final : public Matrix {
 public:
  /// `precision` is the backend's; `at_least` as for Backend::LoadMatrix.
  static Result<std::unique_ptr<Matrix>> Load(std::span<const HostMatrix> parts,
                                              Precision precision, Precision at_least, Isa isa,
                                              int threads);
  static Result<std::unique_ptr<Matrix>> AddLowRank(const CpuMatrix& base,
                                                    std::span<const LowRankUpdate> updates,
                                                    Isa isa);

  /// The weights that low-rank changes stand beside; itself without such.
  const CpuMatrix& base() const { return base_ != nullptr ? *base_ : *this; }
  const LowRank* low_rank() const { return low_rank_ ? &*low_rank_ : nullptr; }

  /// Of a base, one of these is not null.
  const BlockWeights* blocks() const { return blocks_.get(); }
  const F32Weights* floats() const { return f32_ ? &*f32_ : nullptr; }
  const OneDnnWeights* onednn() const { return onednn_.get(); }

  /// Writes weight row `row`: in() floats. Of a base only.
  void ReadRow(std::int64_t row, float* to) const;

 private:
  explicit CpuMatrix(StackedShape shape) : Matrix(shape.rows, shape.cols) {}
  Status LoadForOneDnn(std::span<const HostMatrix> parts);

  const CpuMatrix* base_ = nullptr;
  std::optional<LowRank> low_rank_;
  std::unique_ptr<BlockWeights> blocks_;
  std::optional<F32Weights> f32_;
  std::unique_ptr<OneDnnWeights> onednn_;
  AlignedArray<float>
      rows_;  ///< oneDNN's: [out, in] for ReadRow, as oneDNN's layout is its own secret.
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_CPU_MATRIX_H_
