// The router indexes of a store's spaces: derived from disk, loaded when a space is first asked.
#ifndef KVASIR_AGENT_ROUTER_INDEX_H_
#define KVASIR_AGENT_ROUTER_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "agent/space_index.h"
#include "kvasir/status.h"
#include "model/router.h"
#include "storage/store.h"

namespace kvasir::agent {

/// Only the store is the truth; this may be dropped and rebuilt at any time. Every method may be
/// called from any thread. Lock order: the bank's commit mutex, then this one's, then a
/// SpaceIndex's.
class RouterIndex {
 public:
  /// `commits` is held by everybody who changes the store, until the index has followed.
  RouterIndex(const storage::Store& store, const model::RouterSpec& spec, int threads,
              std::mutex& commits)
      : store_(store), spec_(spec), threads_(threads), commits_(commits) {}

  /// The index of a space; the first call streams its router records (about 1 GB/s) and holds
  /// writers up meanwhile.
  Result<std::shared_ptr<SpaceIndex>> Open(storage::SpaceId space);
  /// The same if it is loaded, else null: what is not loaded need not be told of a change. Only
  /// with the commit mutex held is the answer still true when it is used.
  std::shared_ptr<SpaceIndex> Loaded(storage::SpaceId space) const;
  /// Drops a space, or all, from memory.
  void Drop(storage::SpaceId space);
  void DropAll();
  /// Bytes held by all loaded spaces.
  std::uint64_t Bytes() const;

 private:
  Result<std::shared_ptr<SpaceIndex>> Load(storage::SpaceId space) const;

  const storage::Store& store_;
  const model::RouterSpec spec_;
  const int threads_;
  std::mutex& commits_;
  mutable std::mutex mutex_;  // Guards spaces_, never held while one is loaded or scanned.
  std::map<storage::SpaceId, std::shared_ptr<SpaceIndex>> spaces_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_INDEX_H_
