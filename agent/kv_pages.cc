#include "agent/kv_pages.h"

#include <algorithm>
#include <utility>

#include "agent/segment_pages.h"
#include "agent/segmenter.h"
#include "storage/segment.h"

namespace kvasir::agent {
namespace {

class KvPage final : public compute::Page {
 public:
  explicit KvPage(storage::StoredSegment segment) : segment_(std::move(segment)) {}
  std::size_t Bytes() const override { return segment_.view().bytes().size(); }
  const storage::SegmentView& view() const { return segment_.view(); }

 private:
  storage::StoredSegment segment_;
};

}  // namespace

Result<std::size_t> MostKvBytes(const model::Model& model) {
  const model::RouterSpec& router = model.router();
  storage::SegmentShape shape;
  shape.quantiser = Quantiser::kF32;
  shape.layers.assign(router.layers.begin(), router.layers.end());
  shape.tokens = static_cast<std::uint32_t>(kSegmentTokens);
  shape.chunks = static_cast<std::uint32_t>((kSegmentTokens + router.pooling - 1) / router.pooling);
  shape.vector_length = static_cast<std::uint32_t>(model.key_value_dim());
  shape.scales_per_vector = 0;
  KVASIR_ASSIGN_OR_RETURN(auto builder,
                          storage::SegmentBuilder::Create(storage::SegmentKind::kKv, {}, shape));
  return std::move(builder).Finish().size();
}

const storage::SegmentView& KvPages::Record::view() const {
  return static_cast<const KvPage&>(*pin_).view();  // Source makes no other pages.
}

Result<bool> KvPages::Record::Unpack(std::int32_t layer, LayerMemory* memory) const {
  const auto layers = view().layers();
  const auto found = std::ranges::find(layers, static_cast<std::uint32_t>(layer));
  if (found == layers.end()) return false;
  const auto index = static_cast<std::size_t>(found - layers.begin());
  KVASIR_RETURN_IF_ERROR(UnpackMemory(view(), index, memory));
  return true;
}

std::vector<compute::PageResult> KvPages::Source::Read(
    std::span<const compute::PageRequest> requests) {
  std::vector<compute::PageResult> pages;
  pages.reserve(requests.size());
  for (Result<storage::StoredSegment>& read : store_.ReadKv(SegmentsOf(requests))) {
    if (read.ok()) {
      pages.emplace_back(std::make_unique<const KvPage>(*std::move(read)));
    } else {
      pages.emplace_back(read.status());
    }
  }
  return pages;
}

std::vector<Result<KvPages::Record>> KvPages::Read(
    std::span<const storage::SegmentRequest> requests, const std::stop_token& stop) {
  std::vector<Result<Record>> records;
  records.reserve(requests.size());
  for (auto& pin : cache_.Read(PagesOf(requests), stop)) {
    if (pin.ok()) {
      records.emplace_back(Record(*std::move(pin)));
    } else {
      records.emplace_back(pin.status());
    }
  }
  return records;
}

void KvPages::Prefetch(std::span<const storage::SegmentRequest> requests) {
  cache_.Prefetch(PagesOf(requests));
}

void KvPages::Drop(storage::SpaceId space, storage::DocumentNumber document) {
  cache_.Drop(static_cast<std::uint32_t>(space), document);
}

void KvPages::DropSpace(storage::SpaceId space) {
  cache_.DropSpace(static_cast<std::uint32_t>(space));
}

}  // namespace kvasir::agent
