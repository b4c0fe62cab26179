#include "agent/routed_memory.h"

#include <algorithm>
#include <cstdint>

namespace kvasir::agent {

Status RoutedMemory::Select(const model::RouterQuery& query,
                            std::vector<model::MemoryBlock>& blocks) {
  const auto count = static_cast<std::size_t>(bank_.model().router().top_k);
  KVASIR_ASSIGN_OR_RETURN(std::vector<LatentHit> hits, index_->Select(query, count, &allowed_));
  std::sort(hits.begin(), hits.end(),
            [](const LatentHit& a, const LatentHit& b) { return a.document < b.document; });
  std::vector<storage::SegmentRequest> requests;
  for (const LatentHit& hit : hits) {
    requests.push_back({{space_, hit.document, hit.segment}, hit.generation});
  }
  given_ = bank_.kv_cache().Read(requests);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (given_[i] == nullptr) continue;  // Forgotten or edited since it was scored.
    for (const LayerMemory& layer : *given_[i]) {
      if (layer.layer != static_cast<std::uint32_t>(query.layer)) continue;
      blocks.push_back({.keys = layer.keys, .values = layer.values});
    }
    const auto [offered, is_new] = offered_.try_emplace(hits[i].document, hits[i]);
    if (!is_new && hits[i].score > offered->second.score) offered->second = hits[i];
  }
  return Status::Ok();
}

}  // namespace kvasir::agent
