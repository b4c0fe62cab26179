// Pooled keys and values of the memories that `ask` attends to, paged in from the store.
#ifndef KVASIR_AGENT_KV_PAGES_H_
#define KVASIR_AGENT_KV_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "agent/packer.h"
#include "compute/paging/page_cache.h"
#include "kvasir/status.h"
#include "model/model.h"
#include "storage/store.h"

namespace kvasir::agent {

/// The bytes that a KV record of a whole segment has at most under this model, whatever its
/// quantiser.
Result<std::size_t> MostKvBytes(const model::Model& model);

/// The host tier (compute/paging/page_cache.h) over Store::ReadKv. A page is one segment's KV
/// record as it lies on disk, checked when it came in. Every method may be called from any thread.
class KvPages {
 public:
  /// A record that stays in memory while this lives. Must not outlive the KvPages.
  class Record {
   public:
    explicit Record(compute::PageCache::Pin pin) : pin_(std::move(pin)) {}
    const storage::SegmentView& view() const;
    /// One layer of it as float32; false when it has no such layer.
    Result<bool> Unpack(std::int32_t layer, LayerMemory* memory) const;

   private:
    compute::PageCache::Pin pin_;
  };

  /// `most_bytes`: of one record. Larger ones cannot be read.
  KvPages(const storage::Store& store, std::size_t most_bytes, std::size_t budget_bytes)
      : source_(store, most_bytes), cache_(&source_, budget_bytes) {}

  /// Same order as asked; what cannot be read in that generation, or finds no room, is an error in
  /// its place. One batched read for everything that is not here.
  std::vector<Result<Record>> Read(std::span<const storage::SegmentRequest> requests,
                                   const std::stop_token& stop = {});
  /// Will probably be read next: comes in meanwhile.
  void Prefetch(std::span<const storage::SegmentRequest> requests);

  /// Forgets a document, a space, everything. Once before the store does, so that nothing is left
  /// should that fail; and once after, because what was read in between came in again.
  void Drop(storage::SpaceId space, storage::DocumentNumber document);
  void DropSpace(storage::SpaceId space);
  void DropAll() { cache_.DropAll(); }

  void SetBudget(std::size_t bytes) { cache_.SetBudget(bytes); }
  compute::PageCacheStats Stats() const { return cache_.Stats(); }

 private:
  class Source final : public compute::PageSource {
   public:
    Source(const storage::Store& store, std::size_t most_bytes)
        : store_(store), most_bytes_(most_bytes) {}
    std::size_t MostBytes() const override { return most_bytes_; }
    std::vector<compute::PageResult> Read(std::span<const compute::PageRequest> requests) override;

   private:
    const storage::Store& store_;
    const std::size_t most_bytes_;
  };

  Source source_;
  compute::PageCache cache_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_KV_PAGES_H_
