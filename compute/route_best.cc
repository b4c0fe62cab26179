// The best entries without reading every key whole: sketches first, keys of the few that may win.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "compute/route.h"
#include "compute/route_page.h"
#include "compute/route_query.h"
#include "compute/route_state.h"

namespace kvasir::compute {
namespace {

// An entry is looked at if its estimate is at most this many standard deviations below the worst of
// the best. Among 25 000 real memories 2.5 lost one of 16 in 1 % of searches, 3 in 0.1 %.
constexpr float kDeviations = 3.0F;
// The first round looks at this many for each that is wanted, to learn where the best begin.
constexpr std::size_t kFirstRound = 2;
// Then so many at a time, best first, until none of the rest can win: enough for a few threads.
constexpr std::size_t kRound = 128;
// When more than one entry in this many may win, reading everything in order is faster.
constexpr std::size_t kWorthPicking = 4;

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
  std::vector<float> best;                ///< Exact sums, a heap whose root is the worst of them.
};

void PrepareLayers(const RouteSum& sum, const RouteIndex::State& state, const SketchBasis& basis,
                   std::vector<Layer>* layers) {
  layers->resize(std::max(layers->size(), sum.layers.size()));
  for (std::size_t i = 0; i < sum.layers.size(); ++i) {
    Layer& layer = (*layers)[i];
    layer.query = layer.preparer.Prepare(sum.layers[i], state.shape, *state.kernels);
    layer.query.allowed = sum.layers[0].allowed;
    layer.weight = sum.weights.empty() ? 1.0F : sum.weights[i];
    const auto numbers = static_cast<std::size_t>(layer.query.count * state.shape.dim);
    layer.query.sketches =
        layer.sketcher.Prepare(basis, layer.query.layer, std::span(layer.query.floats, numbers));
  }
}

void AddWeighted(float weight, std::span<const float> scores, bool first, std::span<float> totals) {
  for (std::size_t i = 0; i < totals.size(); ++i) {
    totals[i] = (first ? 0.0F : totals[i]) + weight * scores[i];
    if (scores[i] == kNoRouteScore) totals[i] = kNoRouteScore;
  }
}

/// One search by sketches: totals hold estimates, then exact sums for what was looked at.
class Search {
 public:
  Search(const RouteIndex::State& state, std::span<Layer> layers, const RouteSum& sum, int threads,
         Workspace* work, std::span<float> totals)
      : state_(state),
        layers_(layers),
        best_(static_cast<std::size_t>(sum.best)),
        also_(sum.also),
        threads_(threads),
        work_(*work),
        totals_(totals) {}

  /// How many entries were looked at; -1 when too many would have to be.
  std::int64_t Run(const RoutePages& pages);

 private:
  void Estimate(const RoutePages& pages);
  void ChooseFirst();
  void ChooseMore(float least);
  void LookAt(std::size_t begin, std::size_t end);
  float ExactTotal(std::uint32_t ordinal) const;
  /// The worst of the best so far.
  float Worst() const { return work_.best.size() < best_ ? kNoRouteScore : work_.best.front(); }
  auto Higher() const {
    return [totals = totals_](std::uint32_t a, std::uint32_t b) {
      return totals[a] != totals[b] ? totals[a] > totals[b] : a < b;
    };
  }

  const RouteIndex::State& state_;
  const std::span<Layer> layers_;
  const std::size_t best_;
  const std::span<const std::uint32_t> also_;
  const int threads_;
  Workspace& work_;
  const std::span<float> totals_;
  float margin_ = 0;
};

std::int64_t Search::Run(const RoutePages& pages) {
  Estimate(pages);
  ChooseFirst();
  std::vector<std::uint32_t>& candidates = work_.candidates;
  std::size_t done = candidates.size();
  LookAt(0, done);
  if (Worst() == kNoRouteScore) return -1;
  ChooseMore(Worst() - margin_);
  if (candidates.size() > done + totals_.size() / kWorthPicking) return -1;
  std::sort(candidates.begin() + static_cast<std::ptrdiff_t>(done), candidates.end(), Higher());
  while (done < candidates.size() && totals_[candidates[done]] + margin_ >= Worst()) {
    const std::size_t end = std::min(candidates.size(), done + kRound);
    LookAt(done, end);
    done = end;
  }
  candidates.resize(done);
  for (const std::uint32_t ordinal : also_) {
    if (ordinal >= totals_.size() || totals_[ordinal] == kNoRouteScore) continue;
    if (work_.looked_at[ordinal] == 0) candidates.push_back(ordinal);
  }
  LookAt(done, candidates.size());
  return static_cast<std::int64_t>(candidates.size());
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

void Search::ChooseFirst() {
  std::vector<std::uint32_t>& heap = work_.candidates;  // Its root is the lowest.
  heap.clear();
  work_.looked_at.assign(totals_.size(), 0);
  work_.best.clear();
  float least = std::numeric_limits<float>::lowest();
  for (std::uint32_t i = 0; i < totals_.size(); ++i) {
    if (totals_[i] <= least) continue;
    if (heap.size() == kFirstRound * best_) {
      std::ranges::pop_heap(heap, Higher());
      heap.pop_back();
    }
    heap.push_back(i);
    std::ranges::push_heap(heap, Higher());
    if (heap.size() == kFirstRound * best_) least = totals_[heap.front()];
  }
}

void Search::ChooseMore(float least) {
  for (std::uint32_t i = 0; i < totals_.size(); ++i) {
    if (totals_[i] >= least && work_.looked_at[i] == 0) work_.candidates.push_back(i);
  }
}

void Search::LookAt(std::size_t begin, std::size_t end) {
  const auto last = static_cast<std::int64_t>(end);
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 16)
  for (auto i = static_cast<std::int64_t>(begin); i < last; ++i) {
    const std::uint32_t ordinal = work_.candidates[static_cast<std::size_t>(i)];
    totals_[ordinal] = ExactTotal(ordinal);
    work_.looked_at[ordinal] = 1;
  }
  std::vector<float>& best = work_.best;
  for (std::size_t i = begin; i < end; ++i) {
    const float total = totals_[work_.candidates[i]];
    if (total == kNoRouteScore || (best.size() == best_ && total <= best.front())) continue;
    if (best.size() == best_) {
      std::ranges::pop_heap(best, std::greater<>());
      best.pop_back();
    }
    best.push_back(total);
    std::ranges::push_heap(best, std::greater<>());
  }
}

float Search::ExactTotal(std::uint32_t ordinal) const {
  RouteIndex::State::Home home;
  {
    const std::shared_lock lock(state_.mutex);
    home = state_.homes[ordinal];
  }
  float total = 0;
  for (const Layer& layer : layers_) {
    if (home.page == nullptr) return kNoRouteScore;  // Removed since it was estimated.
    const float score = home.page->EntryScore(layer.query, ordinal, home.slot);
    if (score == kNoRouteScore) return kNoRouteScore;
    total += layer.weight * score;
  }
  return total;
}

}  // namespace

Result<std::int64_t> RouteIndex::ScanBest(const RouteSum& sum, std::span<float> totals) const {
  if (sum.layers.empty() || sum.best < 1 ||
      (!sum.weights.empty() && sum.weights.size() != sum.layers.size())) {
    return InvalidArgument("a sum over routing layers needs a layer, a weight for each, and best");
  }
  for (const RouteQuery& query : sum.layers) {
    KVASIR_RETURN_IF_ERROR(CheckRouteQuery(query, state_->shape, state_->shape.dim));
  }
  thread_local Workspace work;
  if (sum.effort == RouteEffort::kAuto) {
    // Before the pages: every page of an index with a basis has sketches.
    const std::shared_ptr<const SketchBasis> basis = state_->Basis();
    if (basis != nullptr && static_cast<std::size_t>(sum.best) * kWorthPicking < totals.size()) {
      const std::shared_ptr<const RoutePages> pages = state_->Snapshot();
      PrepareLayers(sum, *state_, *basis, &work.layers);
      const int threads = RouteThreads(sum.layers[0], static_cast<std::int64_t>(pages->size()));
      Search search(*state_, std::span(work.layers).first(sum.layers.size()), sum, threads, &work,
                    totals);
      if (const std::int64_t exact = search.Run(*pages); exact >= 0) return exact;
    }
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
