#include "compute/cpu/cpu_matrix.h"

#include <algorithm>
#include <utility>

namespace kvasir::compute::cpu {

Result<std::unique_ptr<Matrix>> CpuMatrix::Load(std::span<const HostMatrix> parts,
                                                Precision precision, Precision at_least, Isa isa,
                                                int threads) {
  KVASIR_ASSIGN_OR_RETURN(const StackedShape shape, CheckParts(parts));
  std::unique_ptr<CpuMatrix> matrix(new CpuMatrix(shape));
  if (precision == Precision::kF32) {
    KVASIR_RETURN_IF_ERROR(matrix->LoadForOneDnn(parts));
  } else if (at_least == Precision::kF32) {
    KVASIR_ASSIGN_OR_RETURN(matrix->f32_, F32Weights::Make(parts, KernelsFor(isa)));
  } else {
    KVASIR_ASSIGN_OR_RETURN(matrix->blocks_, BlockWeights::Make(parts, shape, isa, threads));
  }
  return std::unique_ptr<Matrix>(std::move(matrix));
}

Result<std::unique_ptr<Matrix>> CpuMatrix::AddLowRank(const CpuMatrix& base,
                                                      std::span<const LowRankUpdate> updates,
                                                      Isa isa) {
  KVASIR_RETURN_IF_ERROR(CheckUpdates(base, updates));
  std::unique_ptr<CpuMatrix> matrix(new CpuMatrix({base.out(), base.in()}));
  matrix->base_ = &base;
  if (!updates.empty()) {
    KVASIR_ASSIGN_OR_RETURN(matrix->low_rank_, LowRank::Make(updates, KernelsFor(isa)));
  }
  return std::unique_ptr<Matrix>(std::move(matrix));
}

Status CpuMatrix::LoadForOneDnn(std::span<const HostMatrix> parts) {
  rows_ = AllocateAligned<float>(out() * in());
  if (rows_ == nullptr) return Unavailable("out of memory: no room for a weight matrix");
  KVASIR_RETURN_IF_ERROR(
      DequantizeParts(parts, {rows_.get(), static_cast<std::size_t>(out() * in())}));
  KVASIR_ASSIGN_OR_RETURN(onednn_, OneDnnWeights::Make({rows_.get(), out(), in(), in()}));
  return Status::Ok();
}

void CpuMatrix::ReadRow(std::int64_t row, float* to) const {
  if (blocks_ != nullptr) {
    blocks_->ReadRow(row, to);
  } else if (f32_) {
    f32_->ReadRow(row, to);
  } else {
    std::copy_n(rows_.get() + row * in(), in(), to);
  }
}

}  // namespace kvasir::compute::cpu
