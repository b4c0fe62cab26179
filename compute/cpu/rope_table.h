// Cosines and sines of the positions seen so far: 30 layers turn queries and keys by the same
// angles.
#ifndef KVASIR_COMPUTE_CPU_ROPE_TABLE_H_
#define KVASIR_COMPUTE_CPU_ROPE_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace kvasir::compute::cpu {

/// One per stream. Angles are computed in double, so that position 1 000 000 is as exact as 1.
class RopeTable {
 public:
  /// Makes Cosines and Sines good for `positions`. Positions that repeat from call to call cost a
  /// comparison; new ones cost their cosines.
  void Prepare(std::span<const float> inverse_frequencies, std::span<const std::int32_t> positions);

  /// [half] numbers for row t of the positions last prepared.
  const float* Cosines(std::size_t t) const { return cosines_.data() + t * frequencies_.size(); }
  const float* Sines(std::size_t t) const { return sines_.data() + t * frequencies_.size(); }

 private:
  std::vector<float> frequencies_;
  std::vector<std::int32_t> positions_;
  std::vector<float> cosines_;  ///< [positions, half]
  std::vector<float> sines_;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ROPE_TABLE_H_
