// A weight matrix in blocks of 32 inputs with codes of 4 or 8 bits, in the order in which this
// CPU's kernels read it.
#ifndef KVASIR_COMPUTE_CPU_BLOCK_WEIGHTS_H_
#define KVASIR_COMPUTE_CPU_BLOCK_WEIGHTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "compute/backend.h"
#include "compute/cpu/isa.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/weight_block.h"
#include "compute/host_memory.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Layout, for the kernels' group width G: outputs in panels of 16; a panel is a run of blocks; a
/// block is [32 / G][16 outputs][G] codes (4-bit codes: groups 2p and 2p + 1 share bytes, 2p in the
/// low half), then 16 scales d, then 16 minima m, f16 when that is exact and the CPU converts it,
/// else f32. Exact for the types that SplitsExactly() names.
class BlockWeights {
 public:
  /// `shape` is what CheckParts said of `parts`. kCorruption for a weight that is not finite.
  static Result<std::unique_ptr<BlockWeights>> Make(std::span<const HostMatrix> parts,
                                                    StackedShape shape, Isa isa, int threads);

  const BlockPanels& panels() const { return panels_; }
  std::int64_t out() const { return shape_.rows; }
  std::int64_t in() const { return shape_.cols; }

  /// Writes weight row `row`: in() floats.
  void ReadRow(std::int64_t row, float* to) const;

 private:
  BlockWeights(StackedShape shape, std::int64_t group) : shape_(shape), group_(group) {}
  Status Pack(std::span<const HostMatrix> parts, int threads);
  Status PackPanel(std::span<const HostMatrix> parts, std::int64_t panel, std::span<float> values,
                   std::span<WeightBlock> blocks);
  void Place(const WeightBlock& block, std::int64_t lane, std::uint8_t* to);
  std::int64_t CodeBytes() const { return kPanel * kBlock / (panels_.four_bits ? 2 : 1); }
  std::int64_t BytesPerBlock() const {
    return CodeBytes() + 2 * kPanel * (panels_.half_scales ? 2 : 4);
  }
  float ScaleAt(const std::uint8_t* scales, std::int64_t at) const;

  StackedShape shape_;
  std::int64_t group_;
  BlockPanels panels_{};
  AlignedArray<std::uint8_t> data_;
  std::atomic<bool> scales_fit_ = true;  ///< False once a scale turned out not to be an f16 number.
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_BLOCK_WEIGHTS_H_
