// The router indexes of a store's spaces: derived from disk, loaded when a space is first asked.
#ifndef KVASIR_AGENT_ROUTER_INDEX_H_
#define KVASIR_AGENT_ROUTER_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "agent/memory_budget.h"
#include "agent/router_keys.h"
#include "agent/space_index.h"
#include "kvasir/status.h"
#include "model/router.h"
#include "storage/store.h"

namespace kvasir::agent {

/// Only the store is the truth; this may be dropped and rebuilt at any time. Every method may be
/// called from any thread. Lock order: the bank's commit mutex, then this one's, then a
/// SpaceIndex's.
///
/// Under a budget (docs/adr/0008) an index that does not fit gives up its keys, the largest first,
/// and what is left of the budget caches the keys of all such spaces. When sketches alone are too
/// much, the spaces that were asked longest ago leave memory; one that does not fit even alone says
/// kUnavailable and what it needs.
class RouterIndex {
 public:
  /// A space's index while it may still be loading.
  struct Opening {
    std::shared_ptr<SpaceIndex> index;  ///< Null: nothing of it is loaded yet.
    bool complete = false;
    std::uint64_t asked = 0;  ///< When last: of the spaces idle longest one goes first.
  };
  using Spaces = std::map<storage::SpaceId, Opening>;

  /// `commits` is held by everybody who changes the store, until the index has followed.
  RouterIndex(const storage::Store& store, const model::RouterSpec& spec, int threads,
              std::mutex& commits, const MemoryBudget& budget = {});

  /// The index of a space, whole; the first call streams its router records (docs/performance.md)
  /// and holds writers up meanwhile. Sketches of a large one are made behind it: the first seconds
  /// of questions read keys whole. Under a budget they are made before it returns.
  Result<std::shared_ptr<SpaceIndex>> Open(storage::SpaceId space);
  /// As much of it as there is, without waiting: the first call begins to load it on a thread of
  /// its own, one space at a time. An error of loading is left for Open to meet.
  Opening OpenNow(storage::SpaceId space);
  /// The same if it is loaded whole, else null: what is not loaded need not be told of a change.
  /// Only with the commit mutex held is the answer still true when it is used.
  std::shared_ptr<SpaceIndex> Loaded(storage::SpaceId space) const;
  /// Makes what is loaded fit the budget, after `space` grew. With the commit mutex held.
  /// kUnavailable: it does not fit even alone; it is to be dropped.
  Status Fit(storage::SpaceId space);
  /// Forgets cached keys of a document, of everything: see KvPages::Drop.
  void DropKeys(storage::SpaceId space, storage::DocumentNumber document);
  void DropAllKeys();
  /// Drops a space, or all, from memory. With the commit mutex held.
  void Drop(storage::SpaceId space);
  void DropAll();
  /// Bytes held by all loaded spaces, without the cache of keys.
  std::uint64_t Bytes() const;
  /// The cache of keys that no index holds.
  compute::PageCacheStats KeyCache() const;

 private:
  Result<std::shared_ptr<SpaceIndex>> MakeIndex(storage::SpaceId space) const;
  Status Load(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index,
              const std::stop_token& stop);
  // Under mutex_.
  void Sketch(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index);
  void LoadBehind(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index,
                  const std::stop_token& stop);
  std::shared_ptr<SpaceIndex> Asked(storage::SpaceId space);  // Loaded, and asked now.
  Spaces Held() const;
  // `index` is that of `space`, listed or still to be.
  Status Fit(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index);
  Status TooLarge(storage::SpaceId space, const SpaceIndex& index) const;

  const storage::Store& store_;
  const model::RouterSpec spec_;
  const int threads_;
  std::mutex& commits_;
  const MemoryBudget budget_;
  const std::unique_ptr<RouterKeys> keys_;  // Null without a budget.
  mutable std::mutex mutex_;  // Guards what follows, never held while a space is loaded or scanned.
  Spaces spaces_;
  std::map<storage::SpaceId, Status> refused_;  // Too large, until something of it is forgotten.
  std::uint64_t asked_ = 0;
  bool loading_ = false;  // loader_ works.
  // Last: they stop before the rest goes, the loader first, who may begin a sketching.
  std::map<storage::SpaceId, std::jthread> sketching_;
  std::jthread loader_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_INDEX_H_
