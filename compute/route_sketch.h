// Sketches: one bit for each number of a router key, an eighth of the bytes of an int8 key, read
// first so that only the few keys that may win are read whole (route_best.cc).
//
// A key less the index's mean key is turned by a fixed orthogonal map, which spreads what a key
// says evenly over its numbers, and keeps the signs s of the result x and a gain |x|² / |x|₁. Then
//   q · key ≈ q · mean + gain · Σ q'_i s_i    (q' the query, turned alike)
// with an error whose standard deviation is |q| · gain · sqrt(1 - 2/π), whatever the keys are
// (RaBitQ, arXiv 2405.12497). Measured on real memories: 0.0313, predicted 0.0314.
#ifndef KVASIR_COMPUTE_ROUTE_SKETCH_H_
#define KVASIR_COMPUTE_ROUTE_SKETCH_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/cpu/kernels.h"
#include "compute/host_memory.h"
#include "compute/mapped_memory.h"

namespace kvasir::compute {

/// sqrt(1 - 2/π): standard deviation of an estimate over |q| · gain.
inline constexpr float kSketchError = 0.60281F;

/// The map that sketches of one index share. Immutable once in use.
class SketchBasis {
 public:
  /// `centre` is the mean key of each layer, [layers, dim].
  SketchBasis(std::int64_t dim, std::vector<float> centre);

  std::int64_t dim() const { return dim_; }
  std::int64_t layers() const { return static_cast<std::int64_t>(centre_.size()) / dim_; }
  std::span<const float> Centre(std::int64_t layer) const {
    return std::span(centre_).subspan(static_cast<std::size_t>(layer * dim_),
                                      static_cast<std::size_t>(dim_));
  }
  /// Turns x [dim] in place; lengths and dot products stay.
  void Turn(std::span<float> x) const;
  /// What Turn multiplies with, and how many rows it transforms.
  const float* signs() const { return signs_.data(); }
  std::int64_t order() const { return order_; }

 private:
  std::int64_t dim_;
  std::int64_t order_;         ///< The largest power of two that divides dim.
  std::vector<float> centre_;  ///< [layers, dim]
  std::vector<float> signs_;   ///< [dim], ±1 / sqrt(order)
};

/// The sketches of one page: [layers][slots / 32][quads][16 bytes] and a gain per layer and slot.
/// Byte b of a quad holds four signs of slot b (low half) and of slot 16 + b (high half). Not
/// locked: the page's lock guards it.
class SketchPage {
 public:
  /// Null when there is no memory.
  static std::unique_ptr<SketchPage> Make(std::shared_ptr<const SketchBasis> basis,
                                          std::int64_t slots, bool will_fill);

  /// Sketches a key; `key` [dim] is used up.
  void Put(const cpu::Kernels& kernels, std::int64_t layer, std::int64_t slot,
           std::span<float> key);
  /// Overwrites the slot's sketch in every layer.
  void Clear(std::int64_t slot);
  /// scores[count * 32] of blocks of 32 slots from `first` on.
  void Score(const cpu::Kernels& kernels, const cpu::SketchQueries& queries, std::int64_t layer,
             std::int64_t first, std::int64_t count, float* scores) const;
  /// No slot's gain in this layer was ever higher.
  float HighestGain(std::int64_t layer) const { return highest_[static_cast<std::size_t>(layer)]; }

 private:
  SketchPage(std::shared_ptr<const SketchBasis> basis, std::int64_t slots);
  std::uint8_t* Bits(std::int64_t layer, std::int64_t block) const;

  const std::shared_ptr<const SketchBasis> basis_;
  const std::int64_t slots_;
  const std::int64_t quads_;
  MappedMemory memory_;
  std::uint8_t* bits_ = nullptr;
  float* gains_ = nullptr;
  std::vector<float> highest_;  ///< [layers]
};

/// Query vectors turned into the kernels' tables. A workspace, kept between scans.
class SketchQueryPreparer {
 public:
  /// vectors [count, dim]. The result points into this object.
  cpu::SketchQueries Prepare(const SketchBasis& basis, std::int64_t layer,
                             std::span<const float> vectors);
  /// Length of the longest vector of the last Prepare.
  float longest() const { return longest_; }

 private:
  void FillTable(const float* query, std::int64_t quads, std::size_t index);

  std::vector<float> turned_;          ///< [padded dim]
  std::vector<float> sums_;            ///< [quads, 16]
  AlignedArray<std::uint8_t> tables_;  ///< [count, quads, 16]
  std::int64_t table_bytes_ = 0;
  std::vector<float> steps_;
  std::vector<float> starts_;
  std::vector<float> bases_;
  float longest_ = 0;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_SKETCH_H_
