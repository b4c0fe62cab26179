// Which page to give up: W-TinyLFU (Einziger, Friedman, Manes 2017), in bytes and with pins.
#ifndef KVASIR_COMPUTE_PAGING_PAGE_POLICY_H_
#define KVASIR_COMPUTE_PAGING_PAGE_POLICY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "compute/paging/page.h"

namespace kvasir::compute {

/// How often a page was asked for lately: a count-min sketch whose counts are halved as time
/// passes.
class FrequencySketch {
 public:
  /// Tells some eight times `pages` keys apart, in 32 bytes for each of `pages`.
  explicit FrequencySketch(std::size_t pages);
  /// `present`: how many pages the cache holds now; ten times as many counts are remembered.
  void Count(const PageKey& key, std::size_t present);
  std::uint8_t Estimate(const PageKey& key) const;  ///< At most 15.

 private:
  static constexpr std::size_t kRows = 4;

  std::size_t Place(std::size_t row, const PageKey& key) const;

  std::size_t width_;
  std::size_t counted_ = 0;           // Since all were halved.
  std::vector<std::uint8_t> counts_;  // [kRows, width_]
};

/// A page as the policy sees it: part of the cache's own entry.
struct PageUse {
  enum class Queue : std::uint8_t { kWindow, kProbation, kProtected, kNone };

  PageKey key;
  std::size_t bytes = 0;
  std::uint32_t pins = 0;  ///< Above 0: never a victim.
  Queue queue = Queue::kNone;
  std::list<PageUse*>::iterator place;
};

/// New pages wait in a small window; what leaves it must have been asked for more often than what
/// it would push out of the main part, where pages that were asked for again are protected. So one
/// sweep over many pages pushes out nothing that is in use. Bookkeeping only; not thread-safe.
class PagePolicy {
 public:
  /// `page_bytes`: the most that a page has.
  PagePolicy(std::size_t budget_bytes, std::size_t page_bytes)
      : budget_(budget_bytes), page_bytes_(page_bytes), sketch_(budget_bytes / page_bytes) {}

  void set_budget(std::size_t bytes) { budget_ = bytes; }

  /// A request, whether the page is here or not.
  void Count(const PageKey& key) { sketch_.Count(key, present_); }
  /// A page that came in. It must outlive its stay.
  void Insert(PageUse* page);
  /// A page here was asked for.
  void Touch(PageUse* page);
  void Remove(PageUse* page);
  /// Its true size is known now.
  void Resize(PageUse* page, std::size_t bytes);

  /// The page to give up next; null when every one is pinned. It stays until it is removed.
  PageUse* Victim();

 private:
  using Queue = PageUse::Queue;

  struct List {
    std::list<PageUse*> pages;  // Least recently used first.
    std::size_t bytes = 0;
  };

  List& Of(Queue queue) { return lists_[static_cast<std::size_t>(queue)]; }
  void Move(PageUse* page, Queue to);
  PageUse* Oldest(Queue queue);
  std::size_t MostWindow() const;
  std::size_t MostProtected() const;
  bool RoomForMore() const;

  std::size_t budget_;
  const std::size_t page_bytes_;
  std::size_t present_ = 0;
  FrequencySketch sketch_;
  std::array<List, 3> lists_;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_PAGING_PAGE_POLICY_H_
