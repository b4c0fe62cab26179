// A store of pages for the paging cache's tests: made-up bytes that say whose they are.
#ifndef KVASIR_TESTS_UNIT_COMPUTE_PAGE_CACHE_FIXTURE_H_
#define KVASIR_TESTS_UNIT_COMPUTE_PAGE_CACHE_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "compute/paging/lower_tier.h"
#include "compute/paging/page_cache.h"

namespace kvasir::compute {

/// The memory of one tier: how many bytes of pages live in it now, and how many ever did at once.
class TierMemory {
 public:
  void Take(std::size_t bytes) {
    const std::size_t now = live_.fetch_add(bytes) + bytes;
    for (std::size_t most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
  }
  void Give(std::size_t bytes) { live_.fetch_sub(bytes); }
  std::size_t live() const { return live_; }
  /// The most since the last call.
  std::size_t TakeMost() { return most_.exchange(live_); }

 private:
  std::atomic<std::size_t> live_ = 0;
  std::atomic<std::size_t> most_ = 0;
};

/// Its bytes follow from whose it is; they are wiped when it dies, so that who still reads it sees.
class TestPage final : public Page {
 public:
  TestPage(const PageRequest& whose, std::size_t bytes, TierMemory* memory)
      : whose_(whose), bytes_(bytes, Pattern(whose)), memory_(memory) {
    memory_->Take(bytes);
  }
  ~TestPage() override {
    memory_->Give(bytes_.size());
    std::ranges::fill(bytes_, 0);
    whose_ = {};
  }
  std::size_t Bytes() const override { return bytes_.size(); }
  const PageRequest& whose() const { return whose_; }
  bool IsOf(const PageRequest& request) const {
    return whose_ == request && !bytes_.empty() &&
           std::ranges::all_of(bytes_, [&](int b) { return b == Pattern(request); });
  }

 private:
  static int Pattern(const PageRequest& r) {
    return static_cast<int>(1 + r.key.space + 31 * r.key.document + 1009 * r.key.segment +
                            100'003 * r.generation);
  }
  PageRequest whose_;
  std::vector<int> bytes_;  // One int stands for a byte.
  TierMemory* memory_;
};

inline bool IsOf(const Page& page, const PageRequest& request) {
  return dynamic_cast<const TestPage&>(page).IsOf(request);
}

/// The store under the host tier. Thread-safe.
class TestStore final : public PageSource {
 public:
  static constexpr std::size_t kMostBytes = 10;

  explicit TestStore(TierMemory* memory) : memory_(memory) {}

  std::size_t MostBytes() const override { return kMostBytes; }

  std::vector<PageResult> Read(std::span<const PageRequest> requests) override {
    std::unique_lock lock(mutex_);
    reads_.emplace_back(requests.begin(), requests.end());
    reading_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_up_; });
    reading_ = false;
    std::vector<PageResult> pages;
    for (const PageRequest& request : requests) {
      const auto found = pages_.find(request.key);
      if (found == pages_.end() || found->second.generation != request.generation) {
        pages.emplace_back(NotFound("not in the store"));
      } else {
        pages.emplace_back(std::make_unique<const TestPage>(request, found->second.bytes, memory_));
      }
    }
    return pages;
  }

  void Put(const PageKey& key, std::uint64_t generation, std::size_t bytes = kMostBytes) {
    const std::lock_guard lock(mutex_);
    pages_[key] = {generation, bytes};
  }
  void Erase(std::uint32_t space, std::uint64_t document) {
    const std::lock_guard lock(mutex_);
    std::erase_if(pages_, [&](const auto& page) {
      return page.first.space == space && page.first.document == document;
    });
  }
  /// 0: not there.
  std::uint64_t Generation(const PageKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = pages_.find(key);
    return found == pages_.end() ? 0 : found->second.generation;
  }

  /// Reads that begin from now on wait for GoOn.
  void HoldUp() {
    const std::lock_guard lock(mutex_);
    held_up_ = true;
  }
  void AwaitRead() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reading_; });
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    held_up_ = false;
    changed_.notify_all();
  }
  std::vector<std::vector<PageRequest>> reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

 private:
  struct Stored {
    std::uint64_t generation = 0;
    std::size_t bytes = 0;
  };
  TierMemory* memory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<PageKey, Stored> pages_;
  std::vector<std::vector<PageRequest>> reads_;
  bool held_up_ = false;
  bool reading_ = false;
};

/// A simulated device on a host tier: its own memory, its own budget.
struct TestDevice {
  TestDevice(PageCache* host, std::size_t budget)
      : source(host, TestStore::kMostBytes,
               [this](const Page& page) -> PageResult {
                 const auto& below = dynamic_cast<const TestPage&>(page);
                 return PageResult(
                     std::make_unique<const TestPage>(below.whose(), below.Bytes(), &memory));
               }),
        cache(&source, budget) {
    host->AddTierAbove(&cache);
  }
  TierMemory memory;
  LowerTier source;
  PageCache cache;
};

/// Returns once no read of the cache runs or waits.
inline void AwaitQuiet(const PageCache& cache, std::size_t pinned) {
  while (cache.Stats().pinned_bytes != pinned) std::this_thread::yield();
}

}  // namespace kvasir::compute

#endif  // KVASIR_TESTS_UNIT_COMPUTE_PAGE_CACHE_FIXTURE_H_
