// What a RouteIndex does with its keys as float32 numbers, wherever they are.
#include <algorithm>
#include <cmath>
#include <limits>
#include <shared_mutex>
#include <string>
#include <vector>

#include "compute/reference/route.h"
#include "compute/route_page.h"
#include "compute/route_state.h"

namespace kvasir::compute {
namespace {

/// One chunk's key as float32.
void ReadKey(const RouteEntry& entry, std::int64_t layer, std::int64_t chunk,
             std::span<float> key) {
  const auto row = static_cast<std::size_t>(layer * entry.chunks + chunk);
  const float scale = entry.scales[row];
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = scale * static_cast<float>(entry.codes[row * key.size() + i]);
  }
}

}  // namespace

Status RouteIndex::ScanGeneral(const RouteQuery& query, const RouteHeads& heads,
                               std::span<float> scores) const {
  if (heads.kv_heads < 1 || heads.heads % heads.kv_heads != 0 ||
      heads.kv_heads * heads.head_dim != state_->shape.dim) {
    return InvalidArgument("the heads given do not fit keys of " +
                           std::to_string(state_->shape.dim));
  }
  KVASIR_RETURN_IF_ERROR(CheckRouteQuery(query, state_->shape, heads.heads * heads.head_dim));
  const bool mean = query.chunk_reduce == ChunkReduce::kMean;
  std::vector<double> reduced(scores.size(), mean ? 0.0 : -HUGE_VAL);
  std::vector<float> key(static_cast<std::size_t>(state_->shape.dim));
  std::ranges::fill(scores, kNoRouteScore);
  const auto add = [&](std::uint32_t ordinal, std::int64_t chunks, std::span<const float> k) {
    if (ordinal >= scores.size()) return;
    if (query.allowed != nullptr && !query.allowed->Test(ordinal)) return;
    const double score = reference::RouteChunk(query.queries, heads, query.query_reduce, k);
    double& to = reduced[ordinal];
    to = mean ? to + score / static_cast<double>(chunks) : std::max(to, score);
    scores[ordinal] = static_cast<float>(to);
  };
  RoutePages keyless;
  for (const auto& page : *state_->Snapshot()) {
    if (!page->ForEachKey(query.layer, key, add)) keyless.push_back(page);
  }
  const std::vector<std::uint32_t> ordinals = state_->ListKeyless(keyless, query.allowed);
  return state_->ReadEntries(ordinals, RouteReading::kSweep,
                             [&](std::size_t i, const RouteEntry& entry) {
                               for (std::int64_t chunk = 0; chunk < entry.chunks; ++chunk) {
                                 ReadKey(entry, query.layer, chunk, key);
                                 add(ordinals[i], entry.chunks, key);
                               }
                             });
}

Status RouteIndex::ReadKeys(std::int64_t layer, std::span<const std::uint32_t> ordinals,
                            const KeyVisit& visit) const {
  KVASIR_RETURN_IF_ERROR(CheckRouteLayer(layer, state_->shape));
  std::vector<float> key(static_cast<std::size_t>(state_->shape.dim));
  std::vector<std::uint32_t> elsewhere;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const State::Home home = state_->HomeOf(ordinals[i]);
    if (home.page == nullptr) continue;
    const auto take = [&](std::span<const float> k) { visit(i, k); };
    if (home.page->ForEntryKeys(layer, ordinals[i], home.slot, key, take)) continue;
    elsewhere.push_back(ordinals[i]);
    places.push_back(i);
  }
  Status status;
  if (!elsewhere.empty()) {
    const auto take = [&](std::size_t i, const RouteEntry& entry) {
      for (std::int64_t chunk = 0; chunk < entry.chunks; ++chunk) {
        ReadKey(entry, layer, chunk, key);
        visit(places[i], key);
      }
    };
    status = state_->ReadEntries(elsewhere, RouteReading::kPicked, take);
  }
  std::ranges::fill(key, 0.0F);  // It may be forgotten next.
  return status;
}

}  // namespace kvasir::compute
