#include "agent/segment_pages.h"

#include <cstdint>

namespace kvasir::agent {

std::vector<compute::PageRequest> PagesOf(std::span<const storage::SegmentRequest> requests) {
  std::vector<compute::PageRequest> pages;
  pages.reserve(requests.size());
  for (const storage::SegmentRequest& request : requests) {
    const storage::SegmentKey& key = request.key;
    pages.push_back(
        {{static_cast<std::uint32_t>(key.space), key.document, key.segment}, request.generation});
  }
  return pages;
}

std::vector<storage::SegmentRequest> SegmentsOf(std::span<const compute::PageRequest> requests) {
  std::vector<storage::SegmentRequest> segments;
  segments.reserve(requests.size());
  for (const compute::PageRequest& request : requests) {
    const compute::PageKey& key = request.key;
    segments.push_back(
        {{storage::SpaceId{key.space}, key.document, key.segment}, request.generation});
  }
  return segments;
}

}  // namespace kvasir::agent
