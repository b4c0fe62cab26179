#include "tests/golden/golden_memory.h"

#include <algorithm>
#include <utility>

namespace kvasir::model {
namespace {

void Append(compute::RouteIndex& index, std::uint64_t id, std::int64_t chunks,
            const std::vector<float>& keys) {
  compute::RouteEntry entry;
  entry.id = id;
  entry.chunks = chunks;
  entry.keys = keys;
  const auto ordinal = index.Append(entry);
  ASSERT_TRUE(ordinal.ok()) << ordinal.status().message();
}

}  // namespace

std::unique_ptr<compute::RouteIndex> MakeIndex(std::int64_t layers, std::int64_t dim) {
  auto index =
      compute::RouteIndex::Make({.layers = layers, .dim = dim, .keys = compute::RouteKeys::kF32});
  EXPECT_TRUE(index.ok()) << index.status().message();
  return std::move(index).value();
}

GoldenMemory::GoldenMemory(const Variant& variant, std::vector<std::uint64_t> documents)
    : model_(variant.model()), documents_(std::move(documents)) {
  const RouterSpec& router = model_->router();
  const auto layers = static_cast<std::int64_t>(router.layers.size());
  by_document_ = MakeIndex(layers, router.dim());
  by_chunk_ = MakeIndex(layers, router.dim());
  const auto all = variant.Documents();
  auto encoder = Encoder::Make(model_);
  std::uint64_t next_chunk = 0;
  for (const std::uint64_t number : documents_) {
    auto encoded = (*encoder)->Encode(std::span(&all[number], 1));
    if (!encoded.ok()) {
      ADD_FAILURE() << encoded.status().message();
      return;
    }
    EncodedSegment& segment = segments_[number] = std::move(encoded->front());
    std::vector<float> keys;
    for (const EncodedLayer& layer : segment.layers) {
      keys.insert(keys.end(), layer.router_keys.begin(), layer.router_keys.end());
    }
    Append(*by_document_, number, segment.chunks, keys);
    for (std::int64_t chunk = 0; chunk < segment.chunks; ++chunk) {
      keys.clear();
      for (const EncodedLayer& layer : segment.layers) {
        const auto begin = layer.router_keys.begin() + chunk * router.dim();
        keys.insert(keys.end(), begin, begin + router.dim());
      }
      Append(*by_chunk_, next_chunk++, 1, keys);
    }
  }
}

Status GoldenMemory::Select(const RouterQuery& query, std::vector<MemoryBlock>& blocks) {
  const RouterSpec& router = model_->router();
  const std::int64_t index = router.IndexOf(query.layer);
  compute::RouteQuery route;
  route.layer = index;
  route.queries = query.vectors;
  route.chunk_reduce = router.chunk_reduce;
  route.threads = 1;

  Routed& routed = routed_[query.layer];
  routed.document_scores.resize(by_document_->Ordinals());
  routed.chunk_scores.resize(by_chunk_->Ordinals());
  KVASIR_RETURN_IF_ERROR(by_document_->Scan(route, routed.document_scores));
  KVASIR_RETURN_IF_ERROR(by_chunk_->Scan(route, routed.chunk_scores));
  std::vector<compute::RouteHit> hits;
  by_document_->TopK(routed.document_scores, router.top_k, nullptr, &hits);
  routed.selected.clear();
  routed.selected_scores.clear();
  for (const compute::RouteHit& hit : hits) {
    routed.selected.push_back(hit.id);
    routed.selected_scores.push_back(hit.score);
  }

  std::vector<std::uint64_t> ascending = routed.selected;
  std::sort(ascending.begin(), ascending.end());
  for (const std::uint64_t number : ascending) {
    const EncodedLayer& layer = segments_.at(number).layers[index];
    blocks.push_back({.keys = layer.keys, .values = layer.values});
  }
  return Status::Ok();
}

}  // namespace kvasir::model
