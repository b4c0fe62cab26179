// What a paging cache holds and where it comes from.
#ifndef KVASIR_COMPUTE_PAGING_PAGE_H_
#define KVASIR_COMPUTE_PAGING_PAGE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::compute {

/// Names a page: one segment of one document of one space. Document and space are what pages are
/// dropped by.
struct PageKey {
  std::uint32_t space = 0;
  std::uint64_t document = 0;
  std::uint32_t segment = 0;
  friend auto operator<=>(const PageKey&, const PageKey&) = default;  // NOLINT: no pointer
};

/// A page of one version of its document. Generations only grow.
struct PageRequest {
  PageKey key;
  std::uint64_t generation = 0;
  friend auto operator<=>(const PageRequest&, const PageRequest&) = default;  // NOLINT: no pointer
};

/// Immutable bytes in the memory of one tier (the host's, a device's). Freed by destroying it.
/// Only the maker of a tier's source and the user of its pages know what stands behind this.
class Page {
 public:
  virtual ~Page() = default;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  /// What it takes of its tier's memory. Never changes.
  virtual std::size_t Bytes() const = 0;

 protected:
  Page() = default;
};

using PageResult = Result<std::unique_ptr<const Page>>;

/// Where a tier's pages come from: a store on disk, or the tier below (lower_tier.h).
class PageSource {
 public:
  virtual ~PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;
  /// No page has more; room for so much is made before one is read.
  virtual std::size_t MostBytes() const = 0;
  /// One batched read, same order. What is absent, damaged or of another generation is an error in
  /// its place. Called from a cache's own thread, never twice at once by the same cache.
  virtual std::vector<PageResult> Read(std::span<const PageRequest> requests) = 0;

 protected:
  PageSource() = default;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_PAGING_PAGE_H_
