#include "agent/latent_memory.h"

#include <algorithm>

namespace kvasir::agent {

LatentMemory::LatentMemory(KvCache* cache, std::span<const Passage> passages) {
  std::vector<storage::SegmentRequest> requests;
  for (const Passage& passage : passages) requests.push_back({passage.key, passage.generation});
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  for (auto& segment : cache->Read(requests)) {
    if (segment) segments_.push_back(std::move(segment));
  }
}

Status LatentMemory::Select(const model::RouterQuery& query,
                            std::vector<model::MemoryBlock>& blocks) {
  for (const auto& segment : segments_) {
    for (const LayerMemory& layer : *segment) {
      if (layer.layer != static_cast<std::uint32_t>(query.layer)) continue;
      blocks.push_back({.keys = layer.keys, .values = layer.values});
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::agent
