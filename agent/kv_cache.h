// Pooled keys and values of the memories that `ask` attends to, ready as float32.
#ifndef KVASIR_AGENT_KV_CACHE_H_
#define KVASIR_AGENT_KV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "agent/packer.h"
#include "kvasir/status.h"
#include "storage/store.h"

namespace kvasir::agent {

/// All layers of one segment. Immutable.
using SegmentMemory = std::vector<LayerMemory>;

/// A least-recently-used cache in front of Store::ReadKv, bounded in bytes. An entry answers for
/// its generation only, so an edit is never answered with the past; forgetting drops entries at
/// once. Every method may be called from any thread.
class KvCache {
 public:
  KvCache(const storage::Store& store, std::size_t capacity_bytes)
      : store_(store), capacity_(capacity_bytes) {}

  /// Same order as asked; what cannot be read in that generation is null. One batched read for
  /// everything that is not here.
  std::vector<std::shared_ptr<const SegmentMemory>> Read(
      std::span<const storage::SegmentRequest> requests);

  /// Forgets a document, a space, everything.
  void Drop(storage::SpaceId space, storage::DocumentNumber document);
  void DropSpace(storage::SpaceId space);
  void DropAll();

  std::size_t Bytes() const;

 private:
  struct Entry {
    storage::SegmentKey key;
    storage::Generation generation = 0;
    std::shared_ptr<const SegmentMemory> memory;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // Most recently used first.

  std::shared_ptr<const SegmentMemory> Find(const storage::SegmentRequest& request);
  void Insert(const storage::SegmentKey& key, storage::Generation generation,
              std::shared_ptr<const SegmentMemory> memory, std::uint64_t drops_seen);
  void Erase(std::map<storage::SegmentKey, Entries::iterator>::iterator found);

  const storage::Store& store_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<storage::SegmentKey, Entries::iterator> index_;
  std::size_t bytes_ = 0;
  std::uint64_t drops_ = 0;  // What was read before a drop may not come in after it.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_KV_CACHE_H_
