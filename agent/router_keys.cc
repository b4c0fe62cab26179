#include "agent/router_keys.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "agent/segment_pages.h"
#include "agent/segmenter.h"

namespace kvasir::agent {
namespace {

// What a batch pins, or holds while it is read, is a few hundred KiB.
constexpr std::size_t kBatch = 64;
// What the cache keeps beside a page's numbers: its entry, its places in table and queue.
constexpr std::size_t kPageOverhead = 320;

class KeysPage final : public compute::Page {
 public:
  KeysPage(std::int64_t chunks, RouterCodes codes) : chunks_(chunks), codes_(std::move(codes)) {}
  std::size_t Bytes() const override {
    return codes_.codes.size() + codes_.scales.size() * sizeof(float) + kPageOverhead;
  }
  std::int64_t chunks() const { return chunks_; }
  const RouterCodes& codes() const { return codes_; }

 private:
  const std::int64_t chunks_;
  const RouterCodes codes_;
};

// Forgotten, edited or damaged since it was indexed: the store has reported what is damaged.
bool IsGone(const Status& status) {
  return status.code() == StatusCode::kNotFound || status.code() == StatusCode::kCorruption;
}

}  // namespace

RouterKeys::Source::Source(const storage::Store& store, const model::RouterSpec& spec)
    : store_(store) {
  const std::int64_t chunks = (kSegmentTokens + spec.pooling - 1) / spec.pooling;
  const auto vectors = static_cast<std::size_t>(chunks) * spec.layers.size();
  most_bytes_ = vectors * (static_cast<std::size_t>(spec.dim()) + sizeof(float)) + kPageOverhead;
}

std::vector<compute::PageResult> RouterKeys::Source::Read(
    std::span<const compute::PageRequest> requests) {
  std::vector<compute::PageResult> pages;
  pages.reserve(requests.size());
  for (const Result<storage::StoredSegment>& read : store_.ReadRouter(SegmentsOf(requests))) {
    auto codes = read.ok() ? UnpackRouterKeys(read->view()) : read.status();
    if (codes.ok()) {
      pages.emplace_back(
          std::make_unique<const KeysPage>(read->view().chunks(), *std::move(codes)));
    } else {
      pages.emplace_back(codes.status());
    }
  }
  return pages;
}

Status RouterKeys::Read(std::span<const storage::SegmentRequest> requests,
                        compute::RouteReading reading, const Visit& visit) {
  std::vector<std::size_t> places;
  for (std::size_t first = 0; first < requests.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, requests.size() - first);
    if (reading == compute::RouteReading::kPicked) {
      KVASIR_RETURN_IF_ERROR(ReadPicked(requests.subspan(first, count), first, visit));
      continue;
    }
    places.resize(count);
    for (std::size_t i = 0; i < count; ++i) places[i] = first + i;
    KVASIR_RETURN_IF_ERROR(ReadPast(requests.subspan(first, count), places, visit));
  }
  return Status::Ok();
}

Status RouterKeys::ReadPicked(std::span<const storage::SegmentRequest> requests, std::size_t first,
                              const Visit& visit) {
  std::vector<storage::SegmentRequest> without_room;
  std::vector<std::size_t> places;
  const auto pins = cache_.Read(PagesOf(requests));
  for (std::size_t i = 0; i < pins.size(); ++i) {
    if (pins[i].ok()) {
      const auto& page = static_cast<const KeysPage&>(**pins[i]);  // Source makes no others.
      visit(first + i, page.chunks(), page.codes());
    } else if (!IsGone(pins[i].status())) {
      without_room.push_back(requests[i]);
      places.push_back(first + i);
    }
  }
  return without_room.empty() ? Status::Ok() : ReadPast(without_room, places, visit);
}

Status RouterKeys::ReadPast(std::span<const storage::SegmentRequest> requests,
                            std::span<const std::size_t> places, const Visit& visit) {
  const auto segments = store_.ReadRouter(requests);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].ok()) {
      if (IsGone(segments[i].status())) continue;
      return segments[i].status();
    }
    const storage::SegmentView& view = segments[i]->view();
    KVASIR_ASSIGN_OR_RETURN(const RouterCodes codes, UnpackRouterKeys(view));
    visit(places[i], view.chunks(), codes);
  }
  return Status::Ok();
}

void RouterKeys::Drop(storage::SpaceId space, storage::DocumentNumber document) {
  cache_.Drop(static_cast<std::uint32_t>(space), document);
}

void RouterKeys::DropSpace(storage::SpaceId space) {
  cache_.DropSpace(static_cast<std::uint32_t>(space));
}

void SpaceKeys::Place(std::uint64_t id, storage::DocumentNumber document, std::uint32_t segment,
                      storage::Generation generation) {
  const std::unique_lock lock(mutex_);
  if (places_.size() <= id) places_.resize(id + 1);
  places_[id] = {static_cast<std::uint32_t>(document), segment, generation};
}

void SpaceKeys::Restamp(std::uint32_t first, std::uint32_t count, storage::Generation generation) {
  const std::unique_lock lock(mutex_);
  for (std::uint32_t i = first; i < first + count; ++i) places_[i].generation = generation;
}

Status SpaceKeys::Read(std::span<const std::uint64_t> ids, compute::RouteReading reading,
                       const Visit& visit) {
  std::vector<storage::SegmentRequest> requests;
  requests.reserve(ids.size());
  {
    const std::shared_lock lock(mutex_);
    for (const std::uint64_t id : ids) {
      const At& place = places_[id];
      requests.push_back({{space_, place.document, place.segment}, place.generation});
    }
  }
  return keys_->Read(requests, reading,
                     [&](std::size_t i, std::int64_t chunks, const RouterCodes& codes) {
                       visit(i, {.id = ids[i],
                                 .chunks = chunks,
                                 .codes = codes.codes,
                                 .scales = codes.scales,
                                 .keys = {}});
                     });
}

std::uint64_t SpaceKeys::Bytes() const {
  const std::shared_lock lock(mutex_);
  return places_.size() * sizeof(At);
}

}  // namespace kvasir::agent
