#include "agent/routed_memory.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace kvasir::agent {

Status RoutedMemory::Select(const model::RouterQuery& query,
                            std::vector<model::MemoryBlock>& blocks) {
  if (explains_) queries_.push_back(query);
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

Result<std::vector<Candidate>> RoutedMemory::Explain(
    std::size_t count, const std::set<storage::DocumentNumber>& also) const {
  std::vector<LatentHit> hits;
  hits.reserve(offered_.size());
  for (const auto& [document, hit] : offered_) hits.push_back(hit);
  std::stable_sort(hits.begin(), hits.end(),
                   [](const LatentHit& a, const LatentHit& b) { return a.score > b.score; });
  std::size_t place = 0;
  std::erase_if(
      hits, [&](const LatentHit& hit) { return place++ >= count && !also.contains(hit.document); });
  KVASIR_ASSIGN_OR_RETURN(auto layers, index_->Explain(queries_, hits));
  std::vector<Candidate> candidates(hits.size());
  for (std::size_t i = 0; i < hits.size(); ++i) {
    candidates[i].document = hits[i].document;
    candidates[i].segment = hits[i].segment;
    candidates[i].generation = hits[i].generation;
    candidates[i].score = hits[i].score;
    candidates[i].latent = hits[i].score;
    candidates[i].layers = std::move(layers[i]);
  }
  return candidates;
}

}  // namespace kvasir::agent
