// The ops of compute/backend.h as plain functions on host memory, one file each. The comments there
// say what they compute; `table` and `w` are [out, in] float32, row-major.
#ifndef KVASIR_COMPUTE_REFERENCE_OPS_H_
#define KVASIR_COMPUTE_REFERENCE_OPS_H_

#include <cstdint>
#include <span>

#include "compute/backend.h"

namespace kvasir::compute::reference {

void Embed(ConstRows table, std::span<const std::int32_t> tokens, Rows out);
void MatMul(ConstRows x, ConstRows w, Rows y, bool accumulate);
void RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y);
void Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions);
void SiluMul(ConstRows gate, ConstRows up, Rows y);
void AddBias(ConstRows bias, Rows x);
void Attention(ConstRows q, std::span<const AttentionSequence> sequences, std::int64_t heads,
               std::int64_t kv_heads, std::int64_t head_dim, float scale, Rows out);
void MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out);
void Unit(Rows x, std::int64_t group);

}  // namespace kvasir::compute::reference

#endif  // KVASIR_COMPUTE_REFERENCE_OPS_H_
