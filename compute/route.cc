#include "compute/route.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "compute/cpu/isa.h"
#include "compute/cpu/kernels.h"
#include "compute/route_entry.h"
#include "compute/route_page.h"
#include "compute/route_query.h"
#include "compute/route_state.h"

namespace kvasir::compute {
namespace {

constexpr std::int64_t kMaxDim = 4096;
constexpr std::size_t kCentrePages = 8;

bool AllFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// Better hits first: this is "a comes before b".
bool Better(const RouteHit& a, const RouteHit& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

}  // namespace

Status CheckRouteLayer(std::int64_t layer, const RouteShape& shape) {
  if (layer >= 0 && layer < shape.layers) return Status::Ok();
  return InvalidArgument("routing layer " + std::to_string(layer) + " of " +
                         std::to_string(shape.layers));
}

Status CheckRouteQuery(const RouteQuery& query, const RouteShape& shape, std::int64_t width) {
  KVASIR_RETURN_IF_ERROR(CheckRouteLayer(query.layer, shape));
  if (query.queries.empty() || query.queries.size() % static_cast<std::size_t>(width) != 0) {
    return InvalidArgument(std::to_string(query.queries.size()) +
                           " numbers are no routing queries of " + std::to_string(width));
  }
  if (!AllFinite(query.queries)) {
    return InvalidArgument("a routing query holds a NaN or an infinity");
  }
  return Status::Ok();
}

int RouteThreads(const RouteQuery& query, std::int64_t pages) {
  return static_cast<int>(
      std::min<std::int64_t>(query.threads > 0 ? query.threads : omp_get_num_procs(), pages));
}

Status RouteIndex::State::Check(const RouteEntry& entry) const {
  if (entry.chunks < 1 || entry.chunks > kMaxChunks) {
    return InvalidArgument("a routing entry has 1 to " + std::to_string(kMaxChunks) +
                           " chunks, not " + std::to_string(entry.chunks));
  }
  const auto rows = static_cast<std::size_t>(shape.layers * entry.chunks);
  const std::size_t numbers = rows * static_cast<std::size_t>(shape.dim);
  const bool floats = shape.keys == RouteKeys::kF32;
  if (entry.keys.size() != (floats ? numbers : 0) || entry.codes.size() != (floats ? 0 : numbers) ||
      entry.scales.size() != (floats ? 0 : rows)) {
    return InvalidArgument("a routing entry's keys do not fit " + std::to_string(shape.layers) +
                           " layers of " + std::to_string(entry.chunks) + " chunks of " +
                           std::to_string(shape.dim));
  }
  if (!AllFinite(entry.keys) || !AllFinite(entry.scales)) {
    return InvalidArgument("a routing entry holds a NaN or an infinity");
  }
  if (std::ranges::any_of(entry.scales, [](float scale) { return scale < 0; })) {
    return InvalidArgument("a routing entry holds a negative scale");
  }
  return Status::Ok();
}

Result<std::shared_ptr<RoutePage>> RouteIndex::State::PageFor(std::int64_t needed) {
  const std::shared_ptr<const RoutePages> now = Snapshot();
  // The newest first: while an index grows, all others are full.
  for (auto page = now->rbegin(); page != now->rend(); ++page) {
    if ((*page)->Free() >= needed) return *page;
  }
  auto page = keyless ? RoutePage::MakeKeyless(shape, *kernels, basis)
                      : RoutePage::Make(shape, *kernels, /*will_fill=*/!now->empty());
  if (page == nullptr || (!keyless && basis != nullptr && !page->MakeSketches(basis))) {
    return Unavailable("out of memory: the routing index cannot grow");
  }
  auto more = std::make_shared<RoutePages>(*now);
  more->push_back(page);
  const std::unique_lock lock(mutex);
  pages = std::move(more);
  return page;
}

std::shared_ptr<const SketchBasis> RouteIndex::State::MakeBasis() const {
  const auto dim = static_cast<std::size_t>(shape.dim);
  const std::shared_ptr<const RoutePages> now = Snapshot();
  // The mean of some tens of thousands of keys says as much as that of all.
  const std::size_t stride = std::max<std::size_t>(1, now->size() / kCentrePages);
  std::vector<float> centre(static_cast<std::size_t>(shape.layers) * dim);
  std::vector<double> sum(dim);
  std::vector<float> key(dim);
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    std::ranges::fill(sum, 0.0);
    std::int64_t keys = 0;
    for (std::size_t p = 0; p < now->size(); p += stride) {
      (*now)[p]->ForEachKey(layer, key, [&](std::uint32_t, int, std::span<const float> k) {
        for (std::size_t i = 0; i < k.size(); ++i) sum[i] += double{k[i]};
        ++keys;
      });
    }
    for (std::size_t i = 0; i < dim && keys > 0; ++i) {
      centre[static_cast<std::size_t>(layer) * dim + i] =
          static_cast<float>(sum[i] / static_cast<double>(keys));
    }
  }
  return std::make_shared<const SketchBasis>(shape.dim, std::move(centre));
}

Status RouteIndex::State::MakeSketches(int threads, bool drop_keys, const std::stop_token& stop) {
  const bool have = basis != nullptr;
  const std::shared_ptr<const SketchBasis> made = have ? basis : MakeBasis();
  const std::shared_ptr<const RoutePages> now = Snapshot();
  const auto count = static_cast<std::int64_t>(now->size());
  bool enough = true;
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(&& : enough)
  for (std::int64_t p = 0; p < count; ++p) {
    RoutePage& page = *(*now)[static_cast<std::size_t>(p)];
    if (stop.stop_requested()) continue;
    const bool sketched = have || page.MakeSketches(made);
    if (sketched && drop_keys) page.DropKeys();
    enough = sketched && enough;
  }
  if (stop.stop_requested()) return Cancelled("making sketches was stopped");
  if (!enough) return Unavailable("out of memory for sketches");
  const std::unique_lock lock(mutex);
  basis = made;
  keyless = drop_keys;
  return Status::Ok();
}

void EntryBitmap::Set(std::uint32_t ordinal) {
  const std::size_t word = ordinal / 64;
  if (word >= words_.size()) words_.resize(word + 1);
  words_[word] |= std::uint64_t{1} << (ordinal % 64);
}

RouteIndex::RouteIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
RouteIndex::~RouteIndex() = default;

Result<std::unique_ptr<RouteIndex>> RouteIndex::Make(const RouteShape& shape,
                                                     RouteKeySource* source) {
  if (shape.layers < 1 || shape.dim < 4 || shape.dim % 4 != 0 || shape.dim > kMaxDim) {
    return InvalidArgument("a routing index cannot have " + std::to_string(shape.layers) +
                           " layers of " + std::to_string(shape.dim) + " numbers");
  }
  KVASIR_ASSIGN_OR_RETURN(const cpu::Isa isa, cpu::ChooseIsa());
  auto state = std::make_unique<State>();
  state->shape = shape;
  state->kernels = &cpu::KernelsFor(isa);
  state->source = source;
  return std::unique_ptr<RouteIndex>(new RouteIndex(std::move(state)));
}

const RouteShape& RouteIndex::shape() const { return state_->shape; }

Result<std::uint32_t> RouteIndex::Append(const RouteEntry& entry) {
  KVASIR_RETURN_IF_ERROR(state_->Check(entry));
  const std::lock_guard writer(state_->writer);
  if (state_->ordinals.contains(entry.id)) {
    return Conflict("routing entry " + std::to_string(entry.id) + " is present already");
  }
  if (!state_->filling && state_->basis == nullptr && state_->chunks >= kSketchChunks) {
    KVASIR_RETURN_IF_ERROR(state_->MakeSketches(1));
  }
  KVASIR_ASSIGN_OR_RETURN(auto page, state_->PageFor(entry.chunks));
  std::uint32_t ordinal = 0;
  {
    // The ordinal exists before the keys do: a scan that sees the keys can always name their owner.
    const std::unique_lock lock(state_->mutex);
    ordinal = static_cast<std::uint32_t>(state_->ids.size());
    state_->ids.push_back(entry.id);
    state_->homes.push_back({page, page->FirstFree()});
    state_->ordinals.emplace(entry.id, ordinal);
    state_->chunks += entry.chunks;
  }
  page->Write(entry, ordinal);
  return ordinal;
}

void RouteIndex::BeginFill() {
  const std::lock_guard writer(state_->writer);
  state_->filling = true;
}

bool RouteIndex::WantsSketches() const {
  const std::shared_lock lock(state_->mutex);
  return state_->basis == nullptr && state_->chunks >= kSketchChunks;
}

Status RouteIndex::EndFill(int threads, const std::stop_token& stop) {
  const std::lock_guard writer(state_->writer);
  state_->filling = false;
  if (!WantsSketches()) return Status::Ok();
  return state_->MakeSketches(threads > 0 ? threads : omp_get_num_procs(), /*drop_keys=*/false,
                              stop);
}

Status RouteIndex::GiveUpKeys(int threads) {
  if (state_->source == nullptr || state_->shape.keys != RouteKeys::kInt8) {
    return InvalidArgument("only an index of int8 keys that has a source can give up its keys");
  }
  const std::lock_guard writer(state_->writer);
  if (state_->Keyless()) return Status::Ok();
  return state_->MakeSketches(threads > 0 ? threads : omp_get_num_procs(), /*drop_keys=*/true);
}

bool RouteIndex::HoldsKeys() const { return !state_->Keyless(); }

Status RouteIndex::Remove(std::uint64_t id) {
  const std::lock_guard writer(state_->writer);
  std::shared_ptr<RoutePage> page;
  std::uint32_t ordinal = 0;
  {
    const std::unique_lock lock(state_->mutex);
    const auto found = state_->ordinals.find(id);
    if (found == state_->ordinals.end()) {
      return NotFound("routing entry " + std::to_string(id) + " is not present");
    }
    ordinal = found->second;
    state_->ordinals.erase(found);
    page = std::exchange(state_->homes[ordinal].page, nullptr);
  }
  const std::int64_t erased = page->Erase(ordinal);
  const std::unique_lock lock(state_->mutex);
  state_->chunks -= erased;
  return Status::Ok();
}

std::size_t RouteIndex::Ordinals() const {
  const std::shared_lock lock(state_->mutex);
  return state_->ids.size();
}

std::int64_t RouteIndex::Entries() const {
  const std::shared_lock lock(state_->mutex);
  return static_cast<std::int64_t>(state_->ordinals.size());
}

std::int64_t RouteIndex::Chunks() const {
  const std::shared_lock lock(state_->mutex);
  return state_->chunks;
}

std::int64_t RouteIndex::Bytes() const {
  const RouteShape& shape = state_->shape;
  const std::shared_lock lock(state_->mutex);
  const std::int64_t whole = shape.keys == RouteKeys::kF32 ? shape.dim * 4 : shape.dim + 4;
  const std::int64_t key = state_->keyless ? 0 : whole;
  // Those that EndFill is going to make count already.
  const bool sketched = state_->basis != nullptr || state_->chunks >= kSketchChunks;
  const std::int64_t sketch = sketched ? cpu::SketchQuads(shape.dim) / 2 + 4 : 0;
  return state_->chunks * shape.layers * (key + sketch);
}

std::int64_t RouteIndex::TableBytes() const {
  constexpr std::int64_t kSlot = 8;    // Whose a slot is.
  constexpr std::int64_t kEntry = 40;  // A node and a bucket of the table by id.
  const std::shared_lock lock(state_->mutex);
  return state_->chunks * kSlot + static_cast<std::int64_t>(state_->ordinals.size()) * kEntry +
         static_cast<std::int64_t>(state_->ids.size() *
                                   (sizeof(std::uint64_t) + sizeof(State::Home)));
}

Result<std::uint32_t> RouteIndex::Ordinal(std::uint64_t id) const {
  const std::shared_lock lock(state_->mutex);
  const auto found = state_->ordinals.find(id);
  if (found == state_->ordinals.end()) {
    return NotFound("routing entry " + std::to_string(id) + " is not present");
  }
  return found->second;
}

Status RouteIndex::Scan(const RouteQuery& query, std::span<float> scores,
                        std::span<std::uint32_t> best_chunk) const {
  KVASIR_RETURN_IF_ERROR(CheckRouteQuery(query, state_->shape, state_->shape.dim));
  if (!best_chunk.empty() && best_chunk.size() != scores.size()) {
    return InvalidArgument("best_chunk must be as long as scores, or empty");
  }
  thread_local QueryPreparer preparer;
  const PreparedQuery prepared = preparer.Prepare(query, state_->shape, *state_->kernels);
  const std::shared_ptr<const RoutePages> pages = state_->Snapshot();
  std::ranges::fill(scores, kNoRouteScore);
  std::ranges::fill(best_chunk, 0U);
  const auto count = static_cast<std::int64_t>(pages->size());
  const int threads = RouteThreads(query, count);
  bool all = true;
  if (threads <= 1) {
    for (const auto& page : *pages) all = page->Scan(prepared, scores, best_chunk) && all;
  } else {
    // Pages hold whole entries, so that no two threads write the same score.
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(&& : all)
    for (std::int64_t p = 0; p < count; ++p) {
      all = (*pages)[static_cast<std::size_t>(p)]->Scan(prepared, scores, best_chunk) && all;
    }
  }
  return all ? Status::Ok() : state_->ScanKeyless(prepared, *pages, scores, best_chunk);
}

Status RouteIndex::ScanEntries(const RouteQuery& query, std::span<const std::uint32_t> ordinals,
                               std::span<float> scores, std::span<std::uint32_t> best_chunk) const {
  KVASIR_RETURN_IF_ERROR(CheckRouteQuery(query, state_->shape, state_->shape.dim));
  if (scores.size() != ordinals.size() ||
      (!best_chunk.empty() && best_chunk.size() != ordinals.size())) {
    return InvalidArgument("scores and best_chunk must be as long as ordinals");
  }
  thread_local QueryPreparer preparer;
  const PreparedQuery prepared = preparer.Prepare(query, state_->shape, *state_->kernels);
  std::vector<std::uint32_t> elsewhere;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const State::Home home = state_->HomeOf(ordinals[i]);
    std::uint32_t chunk = 0;
    std::optional<float> score = kNoRouteScore;
    if (home.page != nullptr) {
      score = home.page->EntryScore(prepared, ordinals[i], home.slot, &chunk);
    }
    if (!score) {
      elsewhere.push_back(ordinals[i]);
      places.push_back(i);
    }
    scores[i] = score.value_or(kNoRouteScore);
    if (!best_chunk.empty()) best_chunk[i] = chunk;
  }
  if (elsewhere.empty()) return Status::Ok();
  EntryScorer scorer(state_->shape, *state_->kernels);
  return state_->ReadEntries(elsewhere, RouteReading::kPicked,
                             [&](std::size_t i, const RouteEntry& entry) {
                               std::uint32_t chunk = 0;
                               scores[places[i]] = scorer.Score(prepared, entry, &chunk);
                               if (!best_chunk.empty()) best_chunk[places[i]] = chunk;
                             });
}

void RouteIndex::TopK(std::span<const float> scores, std::int64_t k, const EntryBitmap* allowed,
                      std::vector<RouteHit>* hits) const {
  hits->clear();
  if (k <= 0) return;
  const std::shared_lock lock(state_->mutex);
  const std::size_t count = std::min(scores.size(), state_->ids.size());
  // A heap whose root is the worst of the best so far.
  for (std::size_t i = 0; i < count; ++i) {
    const bool full = hits->size() == static_cast<std::size_t>(k);
    if (scores[i] == kNoRouteScore || (full && scores[i] < hits->front().score)) continue;
    const auto ordinal = static_cast<std::uint32_t>(i);
    if (state_->homes[i].page == nullptr || (allowed != nullptr && !allowed->Test(ordinal)))
      continue;
    const RouteHit hit{state_->ids[i], ordinal, scores[i]};
    if (full && !Better(hit, hits->front())) continue;
    if (full) {
      std::ranges::pop_heap(*hits, Better);
      hits->pop_back();
    }
    hits->push_back(hit);
    std::ranges::push_heap(*hits, Better);
  }
  std::ranges::sort_heap(*hits, Better);
}

}  // namespace kvasir::compute
