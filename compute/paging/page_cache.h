// The paging cache of one tier: pages of pooled keys and values in the memory of the host or of one
// device, brought in from a source when they are asked for, given up by use (page_policy.h) when
// the tier's bytes run out. It knows no device: a tier is what its source puts pages into, and
// tiers stand on each other (lower_tier.h) in any number, say two devices on one host.
//
// Promises, tested against a model (tests/unit/compute/page_cache_property_test.cc):
//  - A page is handed out only for the generation that was asked for, and never after Drop has
//    returned, except to those who held it already.
//  - Pages present, being read and still held after a Drop together take at most the budget.
//  - A pinned page stays. When everything is pinned a request fails at once: nobody waits for
//    another's pins, so nobody can wait for ever.
//  - What is cancelled leaves nothing: no room taken, no read queued.
#ifndef KVASIR_COMPUTE_PAGING_PAGE_CACHE_H_
#define KVASIR_COMPUTE_PAGING_PAGE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "compute/paging/page.h"
#include "kvasir/status.h"

namespace kvasir::compute {

struct PageCacheStats {
  std::size_t budget_bytes = 0;
  std::size_t used_bytes = 0;    ///< Present, being read, or dropped but still held.
  std::size_t pinned_bytes = 0;  ///< Of those: cannot be given up now.
  std::uint64_t pages = 0;       ///< Present.
  std::uint64_t hits = 0;        ///< Requests whose page was here or on its way.
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;
  std::uint64_t prefetches = 0;         ///< Pages that Prefetch read.
  std::uint64_t prefetches_used = 0;    ///< Of those: asked for later.
  std::uint64_t prefetches_wasted = 0;  ///< Of those: given up unasked for.
  std::uint64_t refused = 0;            ///< Of the misses: those that found everything pinned.
};

/// Every method may be called from any thread. Reads run on one thread of the cache's own, started
/// by the first.
class PageCache {
  class State;  // page_cache.cc
  struct Entry;

 public:
  /// A page that stays where it is until this dies. Move-only; must not outlive the cache.
  class Pin {
   public:
    Pin(Pin&&) noexcept = default;
    Pin& operator=(Pin&& other) noexcept {
      std::swap(state_, other.state_);
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Pin();
    const Page& operator*() const;
    const Page* operator->() const { return &**this; }

   private:
    friend class PageCache;
    Pin(State* state, std::shared_ptr<Entry> entry) : state_(state), entry_(std::move(entry)) {}
    State* state_ = nullptr;
    std::shared_ptr<Entry> entry_;
  };

  /// Pages on their way. Move-only; must not outlive the cache.
  class Fetching {
   public:
    Fetching(Fetching&&) noexcept = default;
    Fetching& operator=(Fetching&&) noexcept = default;
    /// Cancels what was not waited for.
    ~Fetching() = default;
    /// Same order as asked. kNotFound: no such page in that generation, or dropped meanwhile.
    /// kUnavailable: no room, everything is pinned. kCancelled: `stop` came first. Others: the
    /// source's.
    std::vector<Result<Pin>> Wait(const std::stop_token& stop = {}) &&;

   private:
    friend class PageCache;
    explicit Fetching(std::vector<Result<Pin>> pins) : pins_(std::move(pins)) {}
    std::vector<Result<Pin>> pins_;  // Of pages that may not have arrived yet.
  };

  /// `source` must outlive the cache.
  PageCache(PageSource* source, std::size_t budget_bytes);
  /// Waits for the read that runs, if one does.
  ~PageCache();
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  /// Asks for pages and returns at once; what is present is pinned already.
  Fetching Fetch(std::span<const PageRequest> requests);
  /// Fetch and Wait.
  std::vector<Result<Pin>> Read(std::span<const PageRequest> requests,
                                const std::stop_token& stop = {});
  /// Says what will probably be asked for next: read after everything that is waited for, into at
  /// most an eighth of the budget until it is asked for, or not at all.
  void Prefetch(std::span<const PageRequest> requests);

  /// Forgets a document, a space, everything: here, then in every tier above. Who holds a page of
  /// it keeps it.
  void Drop(std::uint32_t space, std::uint64_t document);
  void DropSpace(std::uint32_t space);
  void DropAll();
  /// `upper`, whose pages come from here, is to forget what this one forgets. Before either is
  /// used.
  void AddTierAbove(PageCache* upper);

  /// Gives up pages until they fit. What is pinned leaves when its pins do; until then the cache is
  /// over the new budget by at most that.
  void SetBudget(std::size_t bytes);

  PageCacheStats Stats() const;

 private:
  std::unique_ptr<State> state_;
  std::vector<PageCache*> above_;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_PAGING_PAGE_CACHE_H_
