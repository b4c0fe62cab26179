// A stored segment as the paging cache calls it, both ways.
#ifndef KVASIR_AGENT_SEGMENT_PAGES_H_
#define KVASIR_AGENT_SEGMENT_PAGES_H_

#include <span>
#include <vector>

#include "compute/paging/page.h"
#include "storage/store.h"

namespace kvasir::agent {

/// Same order.
std::vector<compute::PageRequest> PagesOf(std::span<const storage::SegmentRequest> requests);
std::vector<storage::SegmentRequest> SegmentsOf(std::span<const compute::PageRequest> requests);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SEGMENT_PAGES_H_
