#include "agent/latent_memory.h"

#include <algorithm>
#include <utility>

namespace kvasir::agent {

LatentMemory::LatentMemory(KvPages* pages, std::span<const Passage> passages,
                           const std::stop_token& stop) {
  std::vector<storage::SegmentRequest> requests;
  for (const Passage& passage : passages) requests.push_back({passage.key, passage.generation});
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  for (auto& record : pages->Read(requests, stop)) {
    if (record.ok()) records_.push_back(*std::move(record));
  }
  layer_.resize(records_.size());
}

Status LatentMemory::Select(const model::RouterQuery& query,
                            std::vector<model::MemoryBlock>& blocks) {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    KVASIR_ASSIGN_OR_RETURN(const bool has_layer, records_[i].Unpack(query.layer, &layer_[i]));
    if (has_layer) blocks.push_back({.keys = layer_[i].keys, .values = layer_[i].values});
  }
  return Status::Ok();
}

}  // namespace kvasir::agent
