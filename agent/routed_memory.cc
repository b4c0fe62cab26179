#include "agent/routed_memory.h"

#include <algorithm>
#include <cstdint>

namespace kvasir::agent {

Status RoutedMemory::Select(const model::RouterQuery& query,
                            std::vector<model::MemoryBlock>& blocks) {
  const auto count = static_cast<std::size_t>(bank_.model().router().top_k);
  KVASIR_ASSIGN_OR_RETURN(std::vector<LatentHit> hits, index_->Select(query, 2 * count, &allowed_));
  std::vector<storage::SegmentRequest> close;
  close.reserve(count);
  for (std::size_t i = count; i < hits.size(); ++i) close.push_back(RequestOf(hits[i]));
  hits.resize(std::min(hits.size(), count));
  std::sort(hits.begin(), hits.end(),
            [](const LatentHit& a, const LatentHit& b) { return a.document < b.document; });
  std::vector<storage::SegmentRequest> requests;
  requests.reserve(hits.size());
  for (const LatentHit& hit : hits) requests.push_back(RequestOf(hit));
  records_.clear();  // Their room is the next ones'.
  given_.resize(hits.size());
  auto read = bank_.kv_pages()->Read(requests);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (!read[i].ok()) continue;  // Forgotten or edited since it was scored.
    records_.push_back(*std::move(read[i]));
    KVASIR_ASSIGN_OR_RETURN(const bool has_layer, records_.back().Unpack(query.layer, &given_[i]));
    if (has_layer) blocks.push_back({.keys = given_[i].keys, .values = given_[i].values});
    const auto [offered, is_new] = offered_.try_emplace(hits[i].document, hits[i]);
    if (!is_new && hits[i].score > offered->second.score) offered->second = hits[i];
  }
  bank_.kv_pages()->Prefetch(close);
  return Status::Ok();
}

}  // namespace kvasir::agent
