// A weight matrix of the cpu backend: in blocks for the integer kernels (Precision::kFast), or in
// float32 for oneDNN (Precision::kF32).
#ifndef KVASIR_COMPUTE_CPU_CPU_MATRIX_H_
#define KVASIR_COMPUTE_CPU_CPU_MATRIX_H_

#include <memory>
#include <span>

#include "compute/backend.h"
#include "compute/cpu/block_weights.h"
#include "compute/cpu/isa.h"
#include "compute/cpu/onednn_matmul.h"
#include "compute/host_memory.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

class CpuMatrix final : public Matrix {
 public:
  static Result<std::unique_ptr<Matrix>> Load(std::span<const HostMatrix> parts,
                                              Precision precision, Isa isa, int threads);

  const BlockWeights* blocks() const { return blocks_.get(); }   ///< Null for kF32.
  const OneDnnWeights* onednn() const { return onednn_.get(); }  ///< Null for kFast.

  /// Writes weight row `row`: in() floats.
  void ReadRow(std::int64_t row, float* to) const;

 private:
  explicit CpuMatrix(StackedShape shape) : Matrix(shape.rows, shape.cols) {}
  Status LoadF32(std::span<const HostMatrix> parts);

  std::unique_ptr<BlockWeights> blocks_;
  std::unique_ptr<OneDnnWeights> onednn_;
  AlignedArray<float>
      rows_;  ///< kF32: [out, in] for ReadRow, as oneDNN's layout is its own secret.
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_CPU_MATRIX_H_
