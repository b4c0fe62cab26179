// A space's router records, from disk into its index.
#ifndef KVASIR_AGENT_ROUTER_LOADER_H_
#define KVASIR_AGENT_ROUTER_LOADER_H_

#include <functional>
#include <stop_token>

#include "agent/space_index.h"
#include "kvasir/status.h"
#include "storage/store.h"

namespace kvasir::agent {

/// What to load. Writers are held up meanwhile.
struct RouterSource {
  const storage::Store& store;
  storage::SpaceId space{};
  std::stop_token stop{};
  /// How many memories one reader takes at a time: so many that finding them costs nothing beside
  /// reading them.
  storage::DocumentNumber range = 2048;
};

/// Streams every router record of a space into `index`, which shows whole memories as they come.
/// This thread and `threads` others (0: one per core; one waits for the disk while others check and
/// append) read ranges of memories beside each other and append them in their order, one at a time;
/// so is `fit` called, after every range. Each holds at most 24 MiB of records, or one record.
/// kCancelled when `stop` was asked; an error of `fit` ends it too. Damaged records are left out
/// and reported by the store.
Status LoadRouters(const RouterSource& source, int threads, SpaceIndex* index,
                   const std::function<Status()>& fit);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_LOADER_H_
