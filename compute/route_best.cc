// The best entries without reading every key whole: sketches first, keys of the few that may win.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "compute/pool.h"
#include "compute/route.h"
#include "compute/route_entry.h"
#include "compute/route_page.h"
#include "compute/route_query.h"
#include "compute/route_state.h"

namespace kvasir::compute {
namespace {

// An entry is looked at if its estimate is at most this many standard deviations below the worst of
// the best. Among 25 000 real memories 2.5 lost one of 16 in 1 % of searches, 3 in 0.1 %.
constexpr float kDeviations = 3.0F;
// So many times as far for owners that must be exact in any case: six deviations are never seen.
constexpr float kSure = 2.0F;
// The first round looks at this many for each that is wanted, to learn where the best begin.
constexpr std::size_t kFirstRound = 2;
// Then so many at a time, best first, until none of the rest can win: enough for a few threads.
constexpr std::size_t kRound = 128;
// When more than one entry in this many may win, reading everything in order is faster.
constexpr std::size_t kWorthPicking = 4;
// A small space, or what a filter leaves of a large one: read all, but as what is asked for again.
constexpr std::size_t kFewEntries = 4096;
constexpr std::uint32_t kNobody = 0xFFFFFFFF;

/// One layer of the sum, ready to be scored either way.
struct Layer {
  QueryPreparer preparer;
  SketchQueryPreparer sketcher;
  PreparedQuery query;
  float weight = 1;
};

/// What one thread keeps between searches.
struct Workspace {
  std::vector<Layer> layers;
  std::vector<float> scores;              ///< One layer's, by ordinal.
  std::vector<std::uint8_t> looked_at;    ///< By ordinal.
  std::vector<std::uint32_t> candidates;  ///< Ordinals: those looked at, then those to come.
  std::vector<std::uint32_t> first;       ///< By owner: the entry with the highest estimate.
  std::vector<float> exact;               ///< By owner: its highest exact sum so far.
  std::vector<std::uint8_t> also;         ///< By owner: must be exact anyhow.
  std::vector<std::uint8_t> in_best;      ///< By owner.
  /// Exact sums of different owners, a heap whose root is the worst of them.
  std::vector<std::pair<float, std::uint32_t>> best;
};

/// In the workspace, for one search. Without `basis` nothing is estimated.
std::span<Layer> PrepareLayers(const RouteSum& sum, const RouteIndex::State& state,
                               const SketchBasis* basis, std::vector<Layer>* layers) {
  layers->resize(std::max(layers->size(), sum.layers.size()));
  for (std::size_t i = 0; i < sum.layers.size(); ++i) {
    Layer& layer = (*layers)[i];
    layer.query = layer.preparer.Prepare(sum.layers[i], state.shape, *state.kernels);
    layer.query.allowed = sum.layers[0].allowed;
    layer.weight = sum.weights.empty() ? 1.0F : sum.weights[i];
    if (basis == nullptr) continue;
    const auto numbers = static_cast<std::size_t>(layer.query.count * state.shape.dim);
    layer.query.sketches =
        layer.sketcher.Prepare(*basis, layer.query.layer, std::span(layer.query.floats, numbers));
  }
  return std::span(*layers).first(sum.layers.size());
}

void AddWeighted(float weight, std::span<const float> scores, bool first, std::span<float> totals) {
  for (std::size_t i = 0; i < totals.size(); ++i) {
    totals[i] = (first ? 0.0F : totals[i]) + weight * scores[i];
    if (scores[i] == kNoRouteScore) totals[i] = kNoRouteScore;
  }
}

/// Exact totals of entries whose keys the index does not hold. What cannot be read stays.
Status SumFromSource(const RouteIndex::State& state, std::span<const Layer> layers,
                     std::span<const std::uint32_t> ordinals, RouteReading reading,
                     std::span<float> totals) {
  EntryScorer scorer(state.shape, *state.kernels);
  return state.ReadEntries(ordinals, reading, [&](std::size_t i, const RouteEntry& entry) {
    float total = 0;
    for (const Layer& layer : layers) total += layer.weight * scorer.Score(layer.query, entry);
    totals[ordinals[i]] = total;
  });
}

/// Every total of an index without keys, each entry read once for all layers.
Status SumKeyless(const RouteIndex::State& state, std::span<const Layer> layers, RouteEffort effort,
                  std::span<float> totals) {
  std::ranges::fill(totals, kNoRouteScore);
  const std::shared_ptr<const RoutePages> pages = state.Snapshot();
  std::vector<std::uint32_t> ordinals = state.ListKeyless(*pages, layers[0].query.allowed);
  std::erase_if(ordinals, [&](std::uint32_t ordinal) { return ordinal >= totals.size(); });
  const bool few = ordinals.size() <= kFewEntries;
  const auto reading =
      few && effort == RouteEffort::kAuto ? RouteReading::kPicked : RouteReading::kSweep;
  return SumFromSource(state, layers, ordinals, reading, totals);
}

/// One search by sketches: totals hold estimates, then exact sums for what was looked at.
class Search {
 public:
  Search(const RouteIndex::State& state, std::span<Layer> layers, const RouteSum& sum, int threads,
         Workspace* work, std::span<float> totals)
      : state_(state),
        layers_(layers),
        owners_(sum.owners),
        also_(sum.also),
        best_(static_cast<std::size_t>(sum.best)),
        threads_(threads),
        work_(*work),
        totals_(totals) {}

  /// How many entries were looked at; -1 when too many would have to be.
  Result<std::int64_t> Run(const RoutePages& pages);

 private:
  void Estimate(const RoutePages& pages);
  std::size_t FindOwners();
  void ChooseFirst();
  void ChooseMore();
  Status LookAt(std::size_t begin, std::size_t end);
  void Count(std::uint32_t ordinal);
  std::optional<float> ExactTotal(std::uint32_t ordinal) const;

  std::uint32_t Owner(std::uint32_t ordinal) const {
    return owners_.empty() ? ordinal : owners_[ordinal];
  }
  /// No better than the worst of the true best: owners' sums may still rise.
  float Worst() const {
    return work_.best.size() < best_ ? kNoRouteScore : work_.best.front().first;
  }
  /// Whether an entry not looked at can change what its owner or the best come to.
  bool MayMatter(std::uint32_t ordinal) const {
    if (totals_[ordinal] == kNoRouteScore) return false;
    const std::uint32_t owner = Owner(ordinal);
    if (work_.also[owner] != 0) return totals_[ordinal] + kSure * margin_ >= work_.exact[owner];
    const float most = totals_[ordinal] + margin_;
    return most >= work_.exact[owner] && most >= Worst();
  }
  auto Higher() const {
    return [totals = totals_](std::uint32_t a, std::uint32_t b) {
      return totals[a] != totals[b] ? totals[a] > totals[b] : a < b;
    };
  }

  const RouteIndex::State& state_;
  const std::span<Layer> layers_;
  const std::span<const std::uint32_t> owners_;
  const std::span<const std::uint32_t> also_;
  const std::size_t best_;
  const int threads_;
  Workspace& work_;
  const std::span<float> totals_;
  std::size_t most_ = 0;  ///< So many entries are worth picking.
  float margin_ = 0;
};

Result<std::int64_t> Search::Run(const RoutePages& pages) {
  Estimate(pages);
  most_ = FindOwners() / kWorthPicking;
  ChooseFirst();
  std::vector<std::uint32_t>& candidates = work_.candidates;
  std::size_t done = candidates.size();
  if (done > most_) return std::int64_t{-1};
  KVASIR_RETURN_IF_ERROR(LookAt(0, done));
  if (Worst() == kNoRouteScore) return std::int64_t{-1};
  ChooseMore();
  if (candidates.size() > done + most_) return std::int64_t{-1};
  std::sort(candidates.begin() + static_cast<std::ptrdiff_t>(done), candidates.end(), Higher());
  for (std::size_t next = done; next < candidates.size();) {
    const std::size_t begin = done;
    for (; next < candidates.size() && done < begin + kRound; ++next) {
      if (MayMatter(candidates[next])) candidates[done++] = candidates[next];
    }
    KVASIR_RETURN_IF_ERROR(LookAt(begin, done));
  }
  return static_cast<std::int64_t>(done);
}

void Search::Estimate(const RoutePages& pages) {
  double variance = 0;
  const auto count = static_cast<std::int64_t>(pages.size());
  const bool plain = layers_.size() == 1 && layers_[0].weight == 1.0F;
  work_.scores.resize(totals_.size());
  for (Layer& layer : layers_) {
    const std::span<float> scores = plain ? totals_ : std::span(work_.scores);
    std::ranges::fill(scores, kNoRouteScore);
    float highest_gain = 0;
#pragma omp parallel for num_threads(threads_) schedule(dynamic) reduction(max : highest_gain)
    for (std::int64_t p = 0; p < count; ++p) {
      pages[static_cast<std::size_t>(p)]->Estimate(layer.query, scores, &highest_gain);
    }
    if (!plain) AddWeighted(layer.weight, scores, &layer == layers_.data(), totals_);
    const double deviation = double{layer.weight} * double{layer.sketcher.longest()} *
                             double{highest_gain} * double{kSketchError};
    variance += deviation * deviation;
  }
  margin_ = kDeviations * static_cast<float>(std::sqrt(variance));
}

// The best entry of each owner by estimates; how many entries there are.
std::size_t Search::FindOwners() {
  std::size_t owners = totals_.size();
  if (!owners_.empty()) {
    owners = 0;
    for (const std::uint32_t owner : owners_) owners = std::max<std::size_t>(owners, owner + 1);
  }
  work_.looked_at.assign(totals_.size(), 0);
  work_.first.assign(owners, kNobody);
  work_.exact.assign(owners, kNoRouteScore);
  work_.also.assign(owners, 0);
  work_.in_best.assign(owners, 0);
  work_.best.clear();
  for (const std::uint32_t owner : also_) {
    if (owner < owners) work_.also[owner] = 1;
  }
  std::size_t entries = 0;
  for (std::uint32_t i = 0; i < totals_.size(); ++i) {
    if (totals_[i] == kNoRouteScore) continue;
    ++entries;
    std::uint32_t& first = work_.first[Owner(i)];
    if (first == kNobody || totals_[i] > totals_[first]) first = i;
  }
  return entries;
}

void Search::ChooseFirst() {
  std::vector<std::uint32_t>& heap = work_.candidates;  // Its root is the lowest.
  heap.clear();
  float least = std::numeric_limits<float>::lowest();
  for (std::size_t owner = 0; owner < work_.first.size(); ++owner) {
    const std::uint32_t i = work_.first[owner];
    if (i == kNobody || work_.also[owner] != 0 || totals_[i] <= least) continue;
    if (heap.size() == kFirstRound * best_) {
      std::ranges::pop_heap(heap, Higher());
      heap.pop_back();
    }
    heap.push_back(i);
    std::ranges::push_heap(heap, Higher());
    if (heap.size() == kFirstRound * best_) least = totals_[heap.front()];
  }
  for (std::size_t owner = 0; owner < work_.first.size(); ++owner) {
    if (work_.also[owner] != 0 && work_.first[owner] != kNobody) heap.push_back(work_.first[owner]);
  }
}

void Search::ChooseMore() {
  for (std::uint32_t i = 0; i < totals_.size(); ++i) {
    if (work_.looked_at[i] == 0 && MayMatter(i)) work_.candidates.push_back(i);
  }
}

Status Search::LookAt(std::size_t begin, std::size_t end) {
  const auto last = static_cast<std::int64_t>(end);
  bool all = true;
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 16) reduction(&& : all)
  for (auto i = static_cast<std::int64_t>(begin); i < last; ++i) {
    const std::uint32_t ordinal = work_.candidates[static_cast<std::size_t>(i)];
    const std::optional<float> total = ExactTotal(ordinal);
    all = all && total;
    totals_[ordinal] = total.value_or(kNoRouteScore);
    work_.looked_at[ordinal] = 1;
  }
  if (!all) {
    const std::span picked = std::span(work_.candidates).subspan(begin, end - begin);
    KVASIR_RETURN_IF_ERROR(SumFromSource(state_, layers_, picked, RouteReading::kPicked, totals_));
  }
  for (std::size_t i = begin; i < end; ++i) Count(work_.candidates[i]);
  return Status::Ok();
}

void Search::Count(std::uint32_t ordinal) {
  const float total = totals_[ordinal];
  if (total == kNoRouteScore) return;
  const std::uint32_t owner = Owner(ordinal);
  work_.exact[owner] = std::max(work_.exact[owner], total);
  std::vector<std::pair<float, std::uint32_t>>& best = work_.best;
  if (work_.in_best[owner] != 0 || (best.size() == best_ && total <= best.front().first)) return;
  if (best.size() == best_) {
    std::ranges::pop_heap(best, std::greater<>());
    work_.in_best[best.back().second] = 0;
    best.pop_back();
  }
  best.emplace_back(total, owner);
  work_.in_best[owner] = 1;
  std::ranges::push_heap(best, std::greater<>());
}

// Nothing when the entry's keys are not in the index.
std::optional<float> Search::ExactTotal(std::uint32_t ordinal) const {
  const RouteIndex::State::Home home = state_.HomeOf(ordinal);
  float total = 0;
  for (const Layer& layer : layers_) {
    if (home.page == nullptr) return kNoRouteScore;  // Removed since it was estimated.
    const std::optional<float> score = home.page->EntryScore(layer.query, ordinal, home.slot);
    if (!score || *score == kNoRouteScore) return score;
    total += layer.weight * *score;
  }
  return total;
}

}  // namespace

Result<std::int64_t> RouteIndex::ScanBest(const RouteSum& sum, std::span<float> totals) const {
  if (sum.layers.empty() || sum.best < 1 ||
      (!sum.weights.empty() && sum.weights.size() != sum.layers.size())) {
    return InvalidArgument("a sum over routing layers needs a layer, a weight for each, and best");
  }
  if (!sum.owners.empty() && sum.owners.size() != totals.size()) {
    return InvalidArgument("a sum over routing layers needs as many owners as totals, or none");
  }
  for (const RouteQuery& query : sum.layers) {
    KVASIR_RETURN_IF_ERROR(CheckRouteQuery(query, state_->shape, state_->shape.dim));
  }
  // Not one a thread: a service has many, and each would keep 19 bytes a segment.
  KVASIR_ASSIGN_OR_RETURN(const auto room, PoolOfCores<Workspace>().Borrow());
  Workspace& work = *room;
  if (sum.effort == RouteEffort::kAuto) {
    // Before the pages: every page of an index with a basis has sketches.
    const std::shared_ptr<const SketchBasis> basis = state_->Basis();
    if (basis != nullptr && static_cast<std::size_t>(sum.best) * kWorthPicking < totals.size()) {
      const std::shared_ptr<const RoutePages> pages = state_->Snapshot();
      const std::span<Layer> layers = PrepareLayers(sum, *state_, basis.get(), &work.layers);
      const int threads = RouteThreads(sum.layers[0], static_cast<std::int64_t>(pages->size()));
      Search search(*state_, layers, sum, threads, &work, totals);
      KVASIR_ASSIGN_OR_RETURN(const std::int64_t exact, search.Run(*pages));
      if (exact >= 0) return exact;
    }
  }
  if (state_->Keyless()) {
    const std::span<Layer> layers = PrepareLayers(sum, *state_, nullptr, &work.layers);
    KVASIR_RETURN_IF_ERROR(SumKeyless(*state_, layers, sum.effort, totals));
    return Entries();
  }
  work.scores.resize(totals.size());
  for (std::size_t i = 0; i < sum.layers.size(); ++i) {
    RouteQuery query = sum.layers[i];
    query.allowed = sum.layers[0].allowed;
    KVASIR_RETURN_IF_ERROR(Scan(query, work.scores));
    AddWeighted(sum.weights.empty() ? 1.0F : sum.weights[i], work.scores, i == 0, totals);
  }
  return Entries();
}

}  // namespace kvasir::compute
