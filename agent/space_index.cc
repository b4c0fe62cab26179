#include "agent/space_index.h"

#include <algorithm>
#include <limits>
#include <shared_mutex>
#include <string>
#include <utility>

#include "agent/packer.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;
using storage::SegmentView;

Status CheckNumber(DocumentNumber document) {
  if (document < std::numeric_limits<std::uint32_t>::max()) return Status::Ok();
  return Corruption("memory number " + std::to_string(document) + " is beyond what a space holds");
}

}  // namespace

Result<std::unique_ptr<SpaceIndex>> SpaceIndex::Make(const model::RouterSpec& spec, int threads,
                                                     std::unique_ptr<SpaceKeys> keys) {
  const compute::RouteShape shape{.layers = static_cast<std::int64_t>(spec.layers.size()),
                                  .dim = spec.dim(),
                                  .keys = compute::RouteKeys::kInt8};
  KVASIR_ASSIGN_OR_RETURN(auto index, compute::RouteIndex::Make(shape, keys.get()));
  return std::unique_ptr<SpaceIndex>(
      new SpaceIndex(spec, std::move(keys), std::move(index), threads));
}

Status SpaceIndex::Append(const SegmentView& router) {
  const std::lock_guard writer(writer_);
  const auto key = router.key();
  KVASIR_RETURN_IF_ERROR(CheckNumber(key.document));
  if (!loading_.segments.empty() && loading_.document != key.document) {
    Publish(std::exchange(loading_, {}));
  }
  if (loading_.segments.empty()) {
    index_->BeginFill();
    loading_ = {key.document, router.generation(), 0, {}};
  }
  return AppendEntry(key.segment, router, &loading_);
}

void SpaceIndex::FinishLoading() {
  const std::lock_guard writer(writer_);
  if (!loading_.segments.empty()) Publish(std::exchange(loading_, {}));
}

Status SpaceIndex::Replace(DocumentNumber document, storage::Generation generation,
                           std::span<const std::string> routers) {
  const std::lock_guard writer(writer_);
  KVASIR_RETURN_IF_ERROR(CheckNumber(document));
  Draft draft{document, generation, 0, {}};
  Status appended;
  for (std::uint32_t segment = 0; appended.ok() && segment < routers.size(); ++segment) {
    const auto view = SegmentView::Parse(routers[segment], storage::SegmentKind::kRouter,
                                         /*verify_checksum=*/false);
    appended = view.ok() ? AppendEntry(segment, *view, &draft) : view.status();
  }
  if (appended.ok()) {
    Publish(draft);
  } else {
    Erase({.first = draft.first, .entries = static_cast<std::uint32_t>(draft.segments.size())});
  }
  return appended;
}

Status SpaceIndex::AppendEntry(std::uint32_t segment, const SegmentView& router, Draft* draft) {
  const auto layers = router.layers();
  if (!std::equal(
          layers.begin(), layers.end(), spec_.layers.begin(), spec_.layers.end(),
          [](std::uint32_t a, std::int32_t b) { return a == static_cast<std::uint32_t>(b); }) ||
      router.vector_length() != spec_.dim()) {
    return Corruption("segment " + std::to_string(segment) + " of memory " +
                      std::to_string(draft->document) + " has other routed layers than its model");
  }
  KVASIR_ASSIGN_OR_RETURN(const RouterCodes codes, UnpackRouterKeys(router));
  // With one writer the next ordinal is known, and serves as the entry's id.
  const std::uint64_t id = index_->Ordinals();
  if (keys_ != nullptr) keys_->Place(id, draft->document, segment, draft->generation);
  KVASIR_ASSIGN_OR_RETURN(const std::uint32_t ordinal, index_->Append({.id = id,
                                                                       .chunks = router.chunks(),
                                                                       .codes = codes.codes,
                                                                       .scales = codes.scales,
                                                                       .keys = {}}));
  if (draft->segments.empty()) draft->first = ordinal;
  draft->segments.push_back(segment);
  return Status::Ok();
}

// The new version is whole in the index before it is shown, the old one goes afterwards.
void SpaceIndex::Publish(const Draft& draft) {
  Version old;
  {
    const std::unique_lock lock(mutex_);
    if (versions_.size() <= draft.document) versions_.resize(draft.document + 1);
    if (!draft.segments.empty()) {
      documents_.resize(draft.first);  // Ordinals of what was never shown belong to nobody.
      segments_.resize(draft.first);
      documents_.resize(draft.first + draft.segments.size(),
                        static_cast<std::uint32_t>(draft.document));
      segments_.insert(segments_.end(), draft.segments.begin(), draft.segments.end());
    }
    old = std::exchange(versions_[draft.document],
                        {.generation = draft.generation,
                         .change = ++changes_,
                         .first = draft.first,
                         .entries = static_cast<std::uint32_t>(draft.segments.size())});
    ++leaving_;
  }
  Erase(old);
  const std::unique_lock lock(mutex_);
  --leaving_;
}

void SpaceIndex::Restamp(DocumentNumber document, storage::Generation generation) {
  const std::lock_guard writer(writer_);
  const std::unique_lock lock(mutex_);
  if (document >= versions_.size()) return;
  if (keys_ != nullptr) {
    keys_->Restamp(versions_[document].first, versions_[document].entries, generation);
  }
  versions_[document].generation = generation;
  versions_[document].change = ++changes_;
}

void SpaceIndex::Remove(DocumentNumber document) {
  const std::lock_guard writer(writer_);
  RemoveLocked(document);
}

void SpaceIndex::RemoveLocked(DocumentNumber document) {
  Version old;
  {
    const std::unique_lock lock(mutex_);
    if (document >= versions_.size() || versions_[document].entries == 0) return;
    old = std::exchange(versions_[document], {.change = ++changes_});
    ++leaving_;
  }
  Erase(old);
  const std::unique_lock lock(mutex_);
  --leaving_;
}

void SpaceIndex::Erase(const Version& version) {
  for (std::uint32_t i = 0; i < version.entries; ++i) {
    (void)index_->Remove(version.first + i);  // Present: nobody else removes.
  }
  if (version.entries > 0) DropApart();
}

void SpaceIndex::Retain(const storage::DocumentSet& present) {
  const std::lock_guard writer(writer_);
  // Only the writer changes the list of versions.
  for (DocumentNumber document = 0; document < versions_.size(); ++document) {
    if (!present.Contains(document)) RemoveLocked(document);
  }
}

std::uint64_t SpaceIndex::Bytes() const {
  std::uint64_t apart = 0;
  {
    const std::lock_guard lock(apart_mutex_);
    for (std::size_t i = 0; apart_ != nullptr && i < apart_->layers.size(); ++i) {
      apart += static_cast<std::uint64_t>(apart_->layers[i].Bytes());
    }
  }
  const std::shared_lock lock(mutex_);
  return apart + static_cast<std::uint64_t>(index_->Bytes() + index_->TableBytes()) +
         (keys_ != nullptr ? keys_->Bytes() : 0) +
         documents_.size() * (sizeof(std::uint32_t) + sizeof(std::uint32_t)) +
         versions_.size() * sizeof(Version);
}

}  // namespace kvasir::agent
