// One page of the routing index: 4096 chunk slots in every layer, behind one lock.
#ifndef KVASIR_COMPUTE_ROUTE_PAGE_H_
#define KVASIR_COMPUTE_ROUTE_PAGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compute/cpu/kernels.h"
#include "compute/fair_shared_mutex.h"
#include "compute/mapped_memory.h"
#include "compute/route.h"
#include "compute/route_sketch.h"

namespace kvasir::compute {

/// A query as the kernels want it, the same for all pages.
struct PreparedQuery {
  std::int64_t layer = 0;
  ChunkReduce chunk_reduce = ChunkReduce::kMax;
  const EntryBitmap* allowed = nullptr;
  cpu::RouteQueries codes{};      ///< kInt8
  cpu::SketchQueries sketches{};  ///< For Estimate.
  const float* floats = nullptr;  ///< kF32: [count, dim]
  std::int64_t count = 0;
};

/// Every method takes the lock it needs. Free() and Write() are for one writer at a time.
class RoutePage {
 public:
  static constexpr std::int64_t kSlots = RouteIndex::kMaxChunks;

  /// Null when there is no memory. Memory that no slot has used yet is not resident, in steps of
  /// 4 KiB, or of 2 MiB when the page `will_fill`: then the system is asked for pages of that size.
  static std::shared_ptr<RoutePage> Make(const RouteShape& shape, const cpu::Kernels& kernels,
                                         bool will_fill);
  /// A page of sketches only. Null when there is no memory.
  static std::shared_ptr<RoutePage> MakeKeyless(const RouteShape& shape,
                                                const cpu::Kernels& kernels,
                                                const std::shared_ptr<const SketchBasis>& basis);

  std::int64_t Free() const { return free_; }
  /// The slot that the next entry's first chunk gets.
  std::int64_t FirstFree() const { return first_free_; }
  /// Puts an entry of at most Free() chunks into free slots.
  void Write(const RouteEntry& entry, std::uint32_t ordinal);
  /// Overwrites the entry's keys and frees its slots; how many there were.
  std::int64_t Erase(std::uint32_t ordinal);

  /// False when the keys are not here: nothing was scored.
  bool Scan(const PreparedQuery& query, std::span<float> scores,
            std::span<std::uint32_t> best_chunk) const;

  /// Sketches every key, now and from now on; false when there is no memory. For the one writer:
  /// scans run on while it works.
  bool MakeSketches(const std::shared_ptr<const SketchBasis>& basis);
  /// Frees the keys. Sketches must have been made; keys are int8.
  void DropKeys();
  /// Adds the allowed entries that are here to `ordinals` if their keys are not.
  void ListKeyless(const EntryBitmap* allowed, std::vector<std::uint32_t>* ordinals) const;
  /// As Scan, from sketches, which must have been made. Raises *highest_gain to that of the layer.
  void Estimate(const PreparedQuery& query, std::span<float> scores, float* highest_gain) const;
  /// What Scan says of one entry whose first chunk was put into `slot`; -infinity when it is gone,
  /// nothing when the keys are not here.
  std::optional<float> EntryScore(const PreparedQuery& query, std::uint32_t ordinal,
                                  std::int64_t slot, std::uint32_t* best_chunk = nullptr) const;

  /// Calls visit(ordinal, chunks of the entry, key [dim]) for every chunk whose key is here; under
  /// the lock. False when none is.
  template <typename Visit>
  bool ForEachKey(std::int64_t layer, std::span<float> key, Visit visit) const;
  /// Calls visit(key [dim]) for every chunk of one entry whose first chunk was put into `slot`, in
  /// their order; under the lock. False when its keys are not here; an entry that is gone has none.
  template <typename Visit>
  bool ForEntryKeys(std::int64_t layer, std::uint32_t ordinal, std::int64_t slot,
                    std::span<float> key, Visit visit) const;

 private:
  static constexpr std::int64_t kBlockSlots = 16;  ///< Of float32 keys: kernels' route_f32.
  static constexpr std::uint32_t kNobody = 0xFFFFFFFF;

  struct Slot {
    std::uint32_t ordinal = kNobody;
    std::uint16_t number = 0;  ///< Which chunk of the entry.
    std::uint16_t chunks = 0;  ///< How many the entry has.
  };

  RoutePage(const RouteShape& shape, const cpu::Kernels& kernels)
      : shape_(shape), kernels_(kernels) {}
  bool Floats() const { return shape_.keys == RouteKeys::kF32; }
  /// How many slots are scored together, and numbers of a key with its padding.
  std::int64_t GroupSlots() const { return Floats() ? kBlockSlots : cpu::kRouteGroup; }
  std::int64_t Width() const { return Floats() ? shape_.dim : cpu::RouteWidth(shape_.dim); }
  std::int64_t ElementBytes() const { return Floats() ? 4 : 1; }
  /// Where element i of a slot's key lies.
  std::uint8_t* Element(std::int64_t layer, std::int64_t slot, std::int64_t i) const;
  float& Scale(std::int64_t layer, std::int64_t slot) const {
    return scales_[layer * kSlots + slot];
  }
  void WriteChunk(const RouteEntry& entry, std::int64_t chunk, std::int64_t slot);
  void Sketch(std::int64_t slot, SketchPage* to) const;
  void Sketch(const RouteEntry& entry, std::int64_t chunk, std::int64_t slot);
  void ReadKey(std::int64_t layer, std::int64_t slot, float* key) const;
  bool AnyWanted(const EntryBitmap* allowed, std::int64_t begin, std::int64_t end) const;
  /// Calls visit(first, count) for runs of blocks of `slots` slots that hold something allowed.
  template <typename Visit>
  void ForWanted(const EntryBitmap* allowed, std::int64_t slots, Visit visit) const;
  /// scores[count * GroupSlots()] of groups from `first` on.
  void Score(const PreparedQuery& query, std::int64_t first, std::int64_t count,
             float* scores) const;
  /// Chunks' scores to entries' scores.
  void Reduce(const PreparedQuery& query, const float* slot_scores, std::span<float> scores,
              std::span<std::uint32_t> best_chunk) const;
  template <typename Wanted>
  void ReduceMax(const float* slot_scores, Wanted wanted, std::span<float> scores,
                 std::span<std::uint32_t> best_chunk) const;
  template <typename Wanted>
  void ReduceMean(const float* slot_scores, Wanted wanted, std::span<float> scores,
                  std::span<std::uint32_t> best_chunk) const;

  const RouteShape shape_;
  const cpu::Kernels& kernels_;
  mutable FairSharedMutex mutex_;
  std::array<Slot, kSlots> slots_;
  std::int64_t end_ = 0;         ///< Slots from here on were never used.
  std::int64_t first_free_ = 0;  ///< The first free slot; kSlots when there is none.
  std::int64_t free_ = kSlots;
  MappedMemory memory_;           ///< Empty: only sketches are here.
  std::uint8_t* keys_ = nullptr;  ///< [layers][groups][slots * width elements], in memory_.
  float* scales_ = nullptr;       ///< [layers][kSlots], in memory_.
  std::unique_ptr<SketchPage> sketches_;
};

template <typename Visit>
bool RoutePage::ForEachKey(std::int64_t layer, std::span<float> key, Visit visit) const {
  const std::shared_lock lock(mutex_);
  for (std::int64_t slot = 0; memory_ && slot < end_; ++slot) {
    const Slot& owner = slots_[static_cast<std::size_t>(slot)];
    if (owner.ordinal == kNobody) continue;
    ReadKey(layer, slot, key.data());
    visit(owner.ordinal, owner.chunks, std::span<const float>(key));
  }
  return static_cast<bool>(memory_);
}

template <typename Visit>
bool RoutePage::ForEntryKeys(std::int64_t layer, std::uint32_t ordinal, std::int64_t slot,
                             std::span<float> key, Visit visit) const {
  const std::shared_lock lock(mutex_);
  const Slot first = slots_[static_cast<std::size_t>(slot)];
  if (first.ordinal != ordinal) return true;
  if (!memory_) return false;
  for (std::int64_t left = first.chunks; left > 0; ++slot) {
    if (slots_[static_cast<std::size_t>(slot)].ordinal != ordinal) continue;
    ReadKey(layer, slot, key.data());
    visit(std::span<const float>(key));
    --left;
  }
  return true;
}

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_PAGE_H_
