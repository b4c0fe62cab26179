// A space's router records, from disk into its index.
#ifndef KVASIR_AGENT_ROUTER_LOADER_H_
#define KVASIR_AGENT_ROUTER_LOADER_H_

#include <functional>
#include <stop_token>

#include "agent/space_index.h"
#include "kvasir/status.h"
#include "storage/store.h"

namespace kvasir::agent {

/// Streams every router record of `space` into `index`, which shows whole memories as they come.
/// Two threads: records are read and checked on this one, appended on another, which calls `fit`
/// after every few MiB. kCancelled when `stop` was asked; an error of `fit` ends it too. Damaged
/// records are left out and reported by the store.
Status LoadRouters(const storage::Store& store, storage::SpaceId space, const std::stop_token& stop,
                   SpaceIndex* index, const std::function<Status()>& fit);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_LOADER_H_
