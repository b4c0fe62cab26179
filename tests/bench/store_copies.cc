#include "tests/bench/store_copies.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "compute/quantise.h"
#include "storage/store.h"

namespace kvasir::bench {
namespace {

using storage::SegmentPart;

constexpr std::size_t kBatch = 256;  // Memories of one commit.

struct Original {
  storage::Document document;
  std::vector<std::string> routers;  // Sealed records, one per segment.
};

Result<std::vector<Original>> ReadOriginals(const storage::Store& store, storage::SpaceId space) {
  std::vector<Original> originals;
  KVASIR_RETURN_IF_ERROR(store
                             .ScanDocuments(space,
                                            [&](const storage::Document& document) {
                                              originals.push_back({document, {}});
                                              return true;
                                            })
                             .status());
  for (Original& original : originals) {
    std::vector<storage::SegmentRequest> requests;
    for (std::uint32_t i = 0; i < original.document.segments.size(); ++i) {
      requests.push_back({{space, original.document.record.number, i}, 0});
    }
    for (const auto& segment : store.ReadRouter(requests)) {
      KVASIR_RETURN_IF_ERROR(segment.status());
      original.routers.emplace_back(segment->view().bytes());
    }
  }
  if (originals.empty()) return InvalidArgument("the store to copy from is empty");
  return originals;
}

/// The record with noise in its keys, unsealed.
Result<std::string> WithNoise(const std::string& record, std::minstd_rand* random) {
  KVASIR_ASSIGN_OR_RETURN(const auto view,
                          storage::SegmentView::Parse(record, storage::SegmentKind::kRouter));
  if (view.quantiser() != Quantiser::kInt8 || view.scales_per_vector() != 1) {
    return InvalidArgument("only stores of the quantiser int8 are copied");
  }
  KVASIR_ASSIGN_OR_RETURN(auto builder,
                          storage::SegmentBuilder::Create(storage::SegmentKind::kRouter,
                                                          view.fingerprint(), view.shape()));
  const std::size_t dim = view.vector_length();
  // Uniform in ±w has variance w²/3; summed over dim it is a quarter of a unit vector's.
  const float width = std::sqrt(0.25F * 3 / static_cast<float>(dim));
  const float step = 2 * width / static_cast<float>(std::minstd_rand::max());
  std::vector<float> keys(view.chunks() * dim);
  for (std::size_t layer = 0; layer < view.layers().size(); ++layer) {
    KVASIR_RETURN_IF_ERROR(compute::UnpackRows(
        compute::TensorType::kI8, view.Codes(layer, SegmentPart::kRouterKeys),
        view.Scales(layer, SegmentPart::kRouterKeys), view.vector_length(), keys));
    for (std::size_t row = 0; row < keys.size(); row += dim) {
      const std::span<float> key = std::span(keys).subspan(row, dim);
      float squares = 0;
      for (float& x : key) {
        x += static_cast<float>((*random)()) * step - width;
        squares += x * x;
      }
      for (float& x : key) x /= std::sqrt(squares);
    }
    KVASIR_RETURN_IF_ERROR(compute::PackRows(compute::TensorType::kI8, keys, view.vector_length(),
                                             builder.Codes(layer, SegmentPart::kRouterKeys),
                                             builder.Scales(layer, SegmentPart::kRouterKeys)));
  }
  return std::move(builder).Finish();
}

Result<storage::DocumentWrite> CopyOf(const Original& original, std::uint64_t copy) {
  storage::DocumentWrite write;
  write.record = original.document.record;
  write.record.id = std::to_string(copy) + "/" + write.record.id;
  std::minstd_rand random(static_cast<std::uint32_t>(copy * 100'003 + write.record.number + 1));
  for (std::size_t i = 0; i < original.routers.size(); ++i) {
    storage::SegmentWrite segment{original.document.segments[i], original.routers[i], {}};
    if (copy > 0) {
      KVASIR_ASSIGN_OR_RETURN(segment.router, WithNoise(original.routers[i], &random));
    }
    write.segments.push_back(std::move(segment));
  }
  return write;
}

}  // namespace

Status CopyStore(const std::string& from, const std::string& to, std::uint64_t tokens) {
  storage::StoreOptions reading;
  reading.create = false;
  reading.read_only = true;
  KVASIR_ASSIGN_OR_RETURN(const auto source, storage::Store::Open(from, reading));
  KVASIR_ASSIGN_OR_RETURN(const auto source_space, source->FindSpace(kDefaultSpace));
  KVASIR_ASSIGN_OR_RETURN(const auto originals, ReadOriginals(*source, source_space));

  storage::StoreOptions writing;
  writing.model = source->model();
  KVASIR_ASSIGN_OR_RETURN(const auto target, storage::Store::Open(to, writing));
  KVASIR_ASSIGN_OR_RETURN(const auto space, target->EnsureSpace(std::string(kDefaultSpace)));
  (void)space;
  const std::vector<SpaceInfo> spaces = target->Spaces();
  std::uint64_t done = spaces.empty() ? 0 : spaces.front().memories;
  std::uint64_t held = spaces.empty() ? 0 : spaces.front().tokens;
  std::vector<storage::DocumentWrite> batch;
  while (held < tokens || !batch.empty()) {
    if (held < tokens) {
      const Original& original = originals[done % originals.size()];
      KVASIR_ASSIGN_OR_RETURN(auto write, CopyOf(original, done / originals.size()));
      batch.push_back(std::move(write));
      held += original.document.record.tokens;
      ++done;
    }
    if (batch.size() < kBatch && held < tokens) continue;
    KVASIR_RETURN_IF_ERROR(target->Commit(std::exchange(batch, {})).status());
    if (done % (kBatch * 16) == 0) {
      std::fprintf(stderr, "%.1f of %.1f M tokens\n", double(held) / 1e6, double(tokens) / 1e6);
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::bench
