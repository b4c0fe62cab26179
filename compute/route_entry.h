// Scores of one entry whose int8 keys come from outside the index.
#ifndef KVASIR_COMPUTE_ROUTE_ENTRY_H_
#define KVASIR_COMPUTE_ROUTE_ENTRY_H_

#include <array>
#include <cstdint>

#include "compute/cpu/kernels.h"
#include "compute/host_memory.h"
#include "compute/route.h"
#include "compute/route_page.h"

namespace kvasir::compute {

/// A workspace: a group of keys as a page lays them out, for the same kernel, hence the same bits.
class EntryScorer {
 public:
  EntryScorer(const RouteShape& shape, const cpu::Kernels& kernels);
  EntryScorer(const EntryScorer&) = delete;
  EntryScorer& operator=(const EntryScorer&) = delete;
  /// Overwrites the keys: they may be forgotten next.
  ~EntryScorer();

  /// What RoutePage::EntryScore would say.
  float Score(const PreparedQuery& query, const RouteEntry& entry,
              std::uint32_t* best_chunk = nullptr);

 private:
  void Place(const RouteEntry& entry, std::int64_t layer, std::int64_t first, std::int64_t count);

  const RouteShape shape_;
  const cpu::Kernels& kernels_;
  AlignedArray<std::uint8_t> group_;  ///< [width / 16][4][16]
  std::array<float, cpu::kRouteGroup> scales_{};
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_ENTRY_H_
