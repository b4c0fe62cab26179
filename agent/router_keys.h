// Router keys that no index holds, paged in from the store (docs/adr/0008).
#ifndef KVASIR_AGENT_ROUTER_KEYS_H_
#define KVASIR_AGENT_ROUTER_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "agent/packer.h"
#include "compute/paging/page_cache.h"
#include "compute/route_source.h"
#include "kvasir/status.h"
#include "model/router.h"
#include "storage/store.h"

namespace kvasir::agent {

/// The cache of all spaces over Store::ReadRouter. A page is one segment's keys as an index takes
/// them. Every method may be called from any thread.
class RouterKeys {
 public:
  using Visit = std::function<void(std::size_t index, std::int64_t chunks, const RouterCodes&)>;

  RouterKeys(const storage::Store& store, const model::RouterSpec& spec)
      : store_(store), source_(store, spec), cache_(&source_, 0) {}

  /// Calls visit for what can be read in that generation. What finds no room in the cache, and
  /// every sweep, is read past it.
  Status Read(std::span<const storage::SegmentRequest> requests, compute::RouteReading reading,
              const Visit& visit);

  /// Forgets a document, a space, everything: see KvPages::Drop.
  void Drop(storage::SpaceId space, storage::DocumentNumber document);
  void DropSpace(storage::SpaceId space);
  void DropAll() { cache_.DropAll(); }

  void SetBudget(std::size_t bytes) { cache_.SetBudget(bytes); }
  compute::PageCacheStats Stats() const { return cache_.Stats(); }

 private:
  class Source final : public compute::PageSource {
   public:
    Source(const storage::Store& store, const model::RouterSpec& spec);
    std::size_t MostBytes() const override { return most_bytes_; }
    std::vector<compute::PageResult> Read(std::span<const compute::PageRequest> requests) override;

   private:
    const storage::Store& store_;
    std::size_t most_bytes_;
  };

  Status ReadPicked(std::span<const storage::SegmentRequest> requests, std::size_t first,
                    const Visit& visit);
  Status ReadPast(std::span<const storage::SegmentRequest> requests,
                  std::span<const std::size_t> places, const Visit& visit);

  const storage::Store& store_;
  Source source_;
  compute::PageCache cache_;
};

/// The keys of one space for its index, which calls an entry by its ordinal.
class SpaceKeys final : public compute::RouteKeySource {
 public:
  SpaceKeys(RouterKeys* keys, storage::SpaceId space) : keys_(keys), space_(space) {}

  /// Where the keys of an entry are that is about to be appended.
  void Place(std::uint64_t id, storage::DocumentNumber document, std::uint32_t segment,
             storage::Generation generation);
  /// `count` entries from `first` on are of a newer version with the same keys.
  void Restamp(std::uint32_t first, std::uint32_t count, storage::Generation generation);

  Status Read(std::span<const std::uint64_t> ids, compute::RouteReading reading,
              const Visit& visit) override;
  std::uint64_t Bytes() const;

 private:
  struct At {
    std::uint32_t document = 0;
    std::uint32_t segment = 0;
    storage::Generation generation = 0;
  };

  RouterKeys* const keys_;
  const storage::SpaceId space_;
  mutable std::shared_mutex mutex_;  // Guards places_; never held while keys are read.
  std::vector<At> places_;           // By id.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTER_KEYS_H_
