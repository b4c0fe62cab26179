// Where a routing index reads the keys that it does not hold.
#ifndef KVASIR_COMPUTE_ROUTE_SOURCE_H_
#define KVASIR_COMPUTE_ROUTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "compute/route.h"
#include "kvasir/status.h"

namespace kvasir::compute {

enum class RouteReading : std::uint8_t {
  kPicked,  ///< Entries that a search picked: likely to be read again.
  kSweep,   ///< All that there are, once: not worth keeping in the place of others.
};

/// The caller's store of entries. Every method may be called from any thread.
class RouteKeySource {
 public:
  /// `index` is a place in the ids that were asked for.
  using Visit = std::function<void(std::size_t index, const RouteEntry& entry)>;

  virtual ~RouteKeySource() = default;
  RouteKeySource(const RouteKeySource&) = delete;
  RouteKeySource& operator=(const RouteKeySource&) = delete;

  /// Calls visit for every one of `ids` whose keys are there, as Append took them, in any order, on
  /// the calling thread. What is gone or damaged is left out: for the index it is no entry.
  virtual Status Read(std::span<const std::uint64_t> ids, RouteReading reading,
                      const Visit& visit) = 0;

 protected:
  RouteKeySource() = default;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_SOURCE_H_
