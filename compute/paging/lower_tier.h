// A tier as the source of the one above it: host memory under a device's.
#ifndef KVASIR_COMPUTE_PAGING_LOWER_TIER_H_
#define KVASIR_COMPUTE_PAGING_LOWER_TIER_H_

#include <functional>
#include <utility>
#include <vector>

#include "compute/paging/page_cache.h"

namespace kvasir::compute {

/// Reads pages of `below`, which stay pinned while `copy` brings each into the tier above. Any
/// number of tiers may stand on one. Join them with below->AddTierAbove.
class LowerTier final : public PageSource {
 public:
  using Copy = std::function<PageResult(const Page& page)>;

  /// `most_bytes`: of a page as `copy` makes it. `below` must outlive this.
  LowerTier(PageCache* below, std::size_t most_bytes, Copy copy)
      : below_(below), most_bytes_(most_bytes), copy_(std::move(copy)) {}

  std::size_t MostBytes() const override { return most_bytes_; }
  std::vector<PageResult> Read(std::span<const PageRequest> requests) override {
    std::vector<PageResult> pages;
    for (const auto& pin : below_->Read(requests)) {
      pages.push_back(pin.ok() ? copy_(**pin) : pin.status());
    }
    return pages;
  }

 private:
  PageCache* below_;
  std::size_t most_bytes_;
  Copy copy_;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_PAGING_LOWER_TIER_H_
