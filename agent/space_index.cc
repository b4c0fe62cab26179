#include "agent/space_index.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "agent/packer.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;
using storage::SegmentView;

// Entry ids order ties by document, then segment: 20 bits hold kMaxSegments.
constexpr int kSegmentBits = 20;
constexpr std::uint64_t EntryId(DocumentNumber document, std::uint32_t segment) {
  return document << kSegmentBits | segment;
}

constexpr float kNothing = -std::numeric_limits<float>::infinity();

// Below this a thread costs more to wake than it saves.
constexpr std::int64_t kChunksWorthThreads = 8192;

bool Better(const LatentHit& a, const LatentHit& b) {
  return a.score != b.score ? a.score > b.score : a.document < b.document;
}

}  // namespace

std::vector<LatentHit> LatentScores::Top(std::size_t count) const {
  std::vector<LatentHit> top(std::min(count, hits_.size()));
  std::partial_sort_copy(hits_.begin(), hits_.end(), top.begin(), top.end(), Better);
  return top;
}

std::optional<LatentHit> LatentScores::Find(DocumentNumber document) const {
  const auto found = std::lower_bound(
      hits_.begin(), hits_.end(), document,
      [](const LatentHit& hit, DocumentNumber number) { return hit.document < number; });
  if (found == hits_.end() || found->document != document) return std::nullopt;
  return *found;
}

Result<std::unique_ptr<SpaceIndex>> SpaceIndex::Make(const model::RouterSpec& spec, int threads) {
  const compute::RouteShape shape{.layers = static_cast<std::int64_t>(spec.layers.size()),
                                  .dim = spec.dim(),
                                  .keys = compute::RouteKeys::kInt8};
  KVASIR_ASSIGN_OR_RETURN(auto index, compute::RouteIndex::Make(shape));
  return std::unique_ptr<SpaceIndex>(new SpaceIndex(spec, std::move(index), threads));
}

SpaceIndex::Version& SpaceIndex::VersionOf(DocumentNumber document) {
  if (versions_.size() <= document) versions_.resize(document + 1);
  return versions_[document];
}

Status SpaceIndex::Append(const SegmentView& router) {
  const std::unique_lock lock(mutex_);
  const auto key = router.key();
  Version& version = VersionOf(key.document);
  version.generation = router.generation();
  version.segments = std::max(version.segments, key.segment + 1);
  return AppendLocked(key.document, key.segment, router);
}

Status SpaceIndex::Replace(DocumentNumber document, storage::Generation generation,
                           std::span<const std::string> routers) {
  const std::unique_lock lock(mutex_);
  RemoveLocked(document);
  VersionOf(document) = {generation, static_cast<std::uint32_t>(routers.size())};
  for (std::uint32_t segment = 0; segment < routers.size(); ++segment) {
    KVASIR_ASSIGN_OR_RETURN(const SegmentView view,
                            SegmentView::Parse(routers[segment], storage::SegmentKind::kRouter,
                                               /*verify_checksum=*/false));
    KVASIR_RETURN_IF_ERROR(AppendLocked(document, segment, view));
  }
  return Status::Ok();
}

Status SpaceIndex::AppendLocked(DocumentNumber document, std::uint32_t segment,
                                const SegmentView& router) {
  const auto layers = router.layers();
  if (!std::equal(
          layers.begin(), layers.end(), spec_.layers.begin(), spec_.layers.end(),
          [](std::uint32_t a, std::int32_t b) { return a == static_cast<std::uint32_t>(b); }) ||
      router.vector_length() != spec_.dim()) {
    return Corruption("segment " + std::to_string(segment) + " of memory " +
                      std::to_string(document) + " has other routed layers than its model");
  }
  KVASIR_ASSIGN_OR_RETURN(const RouterCodes codes, UnpackRouterKeys(router));
  KVASIR_ASSIGN_OR_RETURN(const std::uint32_t ordinal,
                          index_->Append({.id = EntryId(document, segment),
                                          .chunks = router.chunks(),
                                          .codes = codes.codes,
                                          .scales = codes.scales,
                                          .keys = {}}));
  if (places_.size() <= ordinal) places_.resize(ordinal + 1);
  places_[ordinal] = {document, segment};
  return Status::Ok();
}

void SpaceIndex::Restamp(DocumentNumber document, storage::Generation generation) {
  const std::unique_lock lock(mutex_);
  if (document < versions_.size()) versions_[document].generation = generation;
}

void SpaceIndex::Remove(DocumentNumber document) {
  const std::unique_lock lock(mutex_);
  RemoveLocked(document);
}

void SpaceIndex::RemoveLocked(DocumentNumber document) {
  if (document >= versions_.size()) return;
  for (std::uint32_t segment = 0; segment < versions_[document].segments; ++segment) {
    // A segment that was damaged on disk never came in.
    if (!index_->Remove(EntryId(document, segment)).ok()) continue;
  }
  versions_[document] = {};
}

void SpaceIndex::Retain(const storage::DocumentSet& present) {
  const std::unique_lock lock(mutex_);
  for (DocumentNumber document = 0; document < versions_.size(); ++document) {
    if (!present.Contains(document)) RemoveLocked(document);
  }
}

Result<LatentScores> SpaceIndex::Score(std::span<const model::RouterQuery> queries,
                                       const storage::DocumentSet* allowed) const {
  const std::shared_lock lock(mutex_);
  compute::EntryBitmap bitmap;
  if (allowed != nullptr) bitmap = EntriesOf(*allowed);
  KVASIR_ASSIGN_OR_RETURN(const std::vector<float> totals,
                          Totals(queries, allowed != nullptr ? &bitmap : nullptr));
  return BestSegments(totals);
}

Result<std::vector<LatentHit>> SpaceIndex::Select(const model::RouterQuery& query,
                                                  std::size_t count,
                                                  const storage::DocumentSet* allowed) const {
  if (query.count == 0) return std::vector<LatentHit>();  // No token routes.
  const std::shared_lock lock(mutex_);
  compute::EntryBitmap bitmap;
  if (allowed != nullptr) bitmap = EntriesOf(*allowed);
  std::vector<float> scores(places_.size());
  KVASIR_RETURN_IF_ERROR(ScanLayer(static_cast<std::size_t>(spec_.IndexOf(query.layer)), query,
                                   allowed != nullptr ? &bitmap : nullptr, scores, {}));
  return BestSegments(scores).Top(count);
}

compute::EntryBitmap SpaceIndex::EntriesOf(const storage::DocumentSet& documents) const {
  compute::EntryBitmap bitmap;
  for (std::uint32_t ordinal = 0; ordinal < places_.size(); ++ordinal) {
    if (documents.Contains(places_[ordinal].document)) bitmap.Set(ordinal);
  }
  return bitmap;
}

LatentScores SpaceIndex::BestSegments(std::span<const float> scores) const {
  // Ordinals of one document ascend with its segments.
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> best(versions_.size(), kNone);
  for (std::size_t ordinal = 0; ordinal < scores.size(); ++ordinal) {
    if (scores[ordinal] == kNothing) continue;
    std::size_t& held = best[places_[ordinal].document];
    if (held == kNone || scores[ordinal] > scores[held]) held = ordinal;
  }
  LatentScores result;
  for (DocumentNumber document = 0; document < best.size(); ++document) {
    if (best[document] == kNone) continue;
    result.hits_.push_back({document, places_[best[document]].segment,
                            versions_[document].generation, scores[best[document]]});
  }
  return result;
}

// The weighted sum over layers of every entry; -infinity for what is absent or not allowed.
Result<std::vector<float>> SpaceIndex::Totals(std::span<const model::RouterQuery> queries,
                                              const compute::EntryBitmap* allowed) const {
  std::vector<float> totals(places_.size(), queries.empty() ? kNothing : 0.0F);
  std::vector<float> scores(places_.size());
  for (std::size_t layer = 0; layer < queries.size(); ++layer) {
    if (queries[layer].count == 0) return std::vector<float>();  // No token routes.
    KVASIR_RETURN_IF_ERROR(ScanLayer(layer, queries[layer], allowed, scores, {}));
    const float weight = spec_.layer_weights.empty() ? 1.0F : spec_.layer_weights[layer];
    for (std::size_t i = 0; i < totals.size(); ++i) {
      totals[i] = scores[i] == kNothing ? kNothing : totals[i] + weight * scores[i];
    }
  }
  return totals;
}

Status SpaceIndex::ScanLayer(std::size_t layer, const model::RouterQuery& query,
                             const compute::EntryBitmap* allowed, std::span<float> scores,
                             std::span<std::uint32_t> best_chunk) const {
  const compute::RouteQuery route{
      .layer = static_cast<std::int64_t>(layer),
      .queries = query.vectors,
      .query_reduce = spec_.folds() ? compute::QueryReduce::kMax : spec_.query_reduce,
      .chunk_reduce = spec_.chunk_reduce,
      .bits = compute::QueryBits::k15,
      .allowed = allowed,
      .threads = index_->Chunks() < kChunksWorthThreads ? 1 : threads_};
  if (spec_.folds()) return index_->Scan(route, scores, best_chunk);
  const compute::RouteHeads heads{.heads = spec_.query_heads,
                                  .kv_heads = spec_.key_heads,
                                  .head_dim = spec_.head_dim,
                                  .reduce = compute::HeadReduce::kMax};
  return index_->ScanGeneral(route, heads, scores);
}

Result<std::vector<std::vector<LayerScore>>> SpaceIndex::Explain(
    std::span<const model::RouterQuery> queries, std::span<const LatentHit> hits) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::vector<LayerScore>> explained(hits.size());
  std::vector<float> scores(places_.size());
  std::vector<std::uint32_t> chunks(scores.size());
  for (std::size_t layer = 0; layer < queries.size(); ++layer) {
    if (queries[layer].count == 0) break;
    KVASIR_RETURN_IF_ERROR(ScanLayer(layer, queries[layer], nullptr, scores, chunks));
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const auto ordinal = index_->Ordinal(EntryId(hits[i].document, hits[i].segment));
      if (!ordinal.ok()) continue;  // Forgotten since it was scored.
      explained[i].push_back({.layer = static_cast<std::uint32_t>(queries[layer].layer),
                              .score = scores[*ordinal],
                              .chunk = chunks[*ordinal]});
    }
  }
  return explained;
}

std::uint64_t SpaceIndex::Bytes() const {
  const std::shared_lock lock(mutex_);
  return static_cast<std::uint64_t>(index_->Bytes()) + places_.size() * sizeof(Place) +
         versions_.size() * sizeof(Version);
}

}  // namespace kvasir::agent
