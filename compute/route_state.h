// What a RouteIndex holds; seen by route*.cc only.
#ifndef KVASIR_COMPUTE_ROUTE_STATE_H_
#define KVASIR_COMPUTE_ROUTE_STATE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "compute/cpu/kernels.h"
#include "compute/route.h"
#include "compute/route_page.h"
#include "compute/route_sketch.h"
#include "compute/route_source.h"

namespace kvasir::compute {

/// The score of what is absent or not allowed.
inline constexpr float kNoRouteScore = -std::numeric_limits<float>::infinity();

using RoutePages = std::vector<std::shared_ptr<RoutePage>>;

struct RouteIndex::State {
  struct Home {
    std::shared_ptr<RoutePage> page;
    std::int64_t slot = 0;  ///< Of its first chunk; the others follow in order, maybe with gaps.
  };

  RouteShape shape;
  const cpu::Kernels* kernels = nullptr;
  RouteKeySource* source = nullptr;  ///< Null: keys are never given up.

  std::mutex writer;     ///< One Append or Remove at a time. Taken before `mutex`.
  bool filling = false;  ///< Under `writer`.

  /// Guards what follows, for as long as a lookup or a copy of a pointer takes.
  mutable std::shared_mutex mutex;
  /// Replaced, never changed.
  std::shared_ptr<const RoutePages> pages = std::make_shared<RoutePages>();
  std::unordered_map<std::uint64_t, std::uint32_t> ordinals;  ///< By id, of entries present.
  std::vector<std::uint64_t> ids;                             ///< By ordinal.
  std::vector<Home> homes;                                    ///< By ordinal; no page: not present.
  std::int64_t chunks = 0;
  std::shared_ptr<const SketchBasis> basis;  ///< Null until the index is worth sketches.
  bool keyless = false;                      ///< No page holds keys; there is a basis.

  std::shared_ptr<const RoutePages> Snapshot() const {
    const std::shared_lock lock(mutex);
    return pages;
  }
  std::shared_ptr<const SketchBasis> Basis() const {
    const std::shared_lock lock(mutex);
    return basis;
  }
  bool Keyless() const {
    const std::shared_lock lock(mutex);
    return keyless;
  }
  /// No page when the entry is not present.
  Home HomeOf(std::uint32_t ordinal) const {
    const std::shared_lock lock(mutex);
    return ordinal < homes.size() ? homes[ordinal] : Home();
  }
  Status Check(const RouteEntry& entry) const;
  Result<std::shared_ptr<RoutePage>> PageFor(std::int64_t needed);
  std::shared_ptr<const SketchBasis> MakeBasis() const;
  /// Gives every page sketches, and then, if so asked, takes its keys; under `writer`. Scans go on
  /// meanwhile.
  Status MakeSketches(int threads, bool drop_keys = false, const std::stop_token& stop = {});

  // route_keyless.cc: what pages do not hold.
  /// The allowed entries of pages without keys.
  std::vector<std::uint32_t> ListKeyless(const RoutePages& of, const EntryBitmap* allowed) const;
  /// Reads entries from the source; those that are not present are left out. `index` is a place in
  /// `entries`, ordinals.
  Status ReadEntries(std::span<const std::uint32_t> entries, RouteReading reading,
                     const RouteKeySource::Visit& visit) const;
  /// Scan of pages without keys.
  Status ScanKeyless(const PreparedQuery& query, const RoutePages& of, std::span<float> scores,
                     std::span<std::uint32_t> best_chunk) const;
};

/// kInvalidArgument unless there is such a layer.
Status CheckRouteLayer(std::int64_t layer, const RouteShape& shape);

/// kInvalidArgument unless the query fits: `width` numbers per vector, all finite.
Status CheckRouteQuery(const RouteQuery& query, const RouteShape& shape, std::int64_t width);

/// How many threads to scan `pages` pages with.
int RouteThreads(const RouteQuery& query, std::int64_t pages);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_STATE_H_
