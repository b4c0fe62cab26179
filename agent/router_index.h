// The router indexes of a store's spaces: derived from disk, loaded when a space is first asked.
#ifndef KVASIR_AGENT_ROUTER_INDEX_H_
#define KVASIR_AGENT_ROUTER_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

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
  /// A space's index while it may still be loading.
  struct Opening {
    std::shared_ptr<SpaceIndex> index;  ///< Null: nothing of it is loaded yet.
    bool complete = false;
  };

  /// `commits` is held by everybody who changes the store, until the index has followed.
  RouterIndex(const storage::Store& store, const model::RouterSpec& spec, int threads,
              std::mutex& commits)
      : store_(store), spec_(spec), threads_(threads), commits_(commits) {}

  /// The index of a space, whole; the first call streams its router records (docs/performance.md)
  /// and holds writers up meanwhile.
  Result<std::shared_ptr<SpaceIndex>> Open(storage::SpaceId space);
  /// As much of it as there is, without waiting: the first call begins to load it on a thread of
  /// its own, one space at a time. An error of loading is left for Open to meet.
  Opening OpenNow(storage::SpaceId space);
  /// The same if it is loaded whole, else null: what is not loaded need not be told of a change.
  /// Only with the commit mutex held is the answer still true when it is used.
  std::shared_ptr<SpaceIndex> Loaded(storage::SpaceId space) const;
  /// Drops a space, or all, from memory. With the commit mutex held.
  void Drop(storage::SpaceId space);
  void DropAll();
  /// Bytes held by all loaded spaces.
  std::uint64_t Bytes() const;

 private:
  void LoadBehind(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index,
                  const std::stop_token& stop);

  const storage::Store& store_;
  const model::RouterSpec spec_;
  const int threads_;
  std::mutex& commits_;
  mutable std::mutex mutex_;  // Guards what follows, never held while a space is loaded or scanned.
  std::map<storage::SpaceId, Opening> spaces_;
  bool loading_ = false;  // loader_ works.
  std::jthread loader_;   // Last: it stops before the rest goes.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_INDEX_H_
