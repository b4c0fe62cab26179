// Any weight type as blocks of 32: weight = d · code + m with codes of 4 or 8 bits.
#ifndef KVASIR_COMPUTE_CPU_WEIGHT_BLOCK_H_
#define KVASIR_COMPUTE_CPU_WEIGHT_BLOCK_H_

#include <cstdint>
#include <span>

#include "compute/backend.h"
#include "compute/cpu/kernels.h"
#include "compute/tensor_type.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

struct WeightBlock {
  float d = 0;
  float m = 0;
  std::uint8_t codes[kBlock] = {};
};

/// True if SplitRow keeps every bit: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K. Other types are
/// rounded to 8 bits per block, |error| ≤ max|w| / 254.
bool SplitsExactly(TensorType type);
/// True if codes of this type fit 4 bits.
bool FitsFourBits(TensorType type);
/// True if d and m of this type are f16 numbers, short of an overflow that the caller must check.
bool HasHalfScales(TensorType type);

/// Row `row` of `part` as ceil(cols / 32) blocks; inputs past the last count as zeros. `values` is
/// room for cols floats.
Status SplitRow(const HostMatrix& part, std::int64_t row, std::span<float> values,
                std::span<WeightBlock> blocks);

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_WEIGHT_BLOCK_H_
