// How a budget of bytes is divided among what is derived from the store and kept in memory.
#ifndef KVASIR_AGENT_MEMORY_BUDGET_H_
#define KVASIR_AGENT_MEMORY_BUDGET_H_

#include <algorithm>
#include <cstdint>

namespace kvasir::agent {

/// The KV cache gets what it would get without a budget, but at most a quarter; the router indexes
/// and the cache of keys that they do not hold share the rest.
struct MemoryBudget {
  std::uint64_t total = 0;  ///< 0: no limit.
  std::uint64_t most_kv = 0;

  bool limited() const { return total > 0; }
  std::uint64_t kv() const { return limited() ? std::min(most_kv, total / 4) : most_kv; }
  std::uint64_t routers() const { return total - (limited() ? kv() : 0); }
  /// The least total that leaves `routers` bytes for router indexes.
  std::uint64_t TotalFor(std::uint64_t routers) const {
    return std::min(routers + most_kv, routers + (routers + 2) / 3);
  }
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_MEMORY_BUDGET_H_
