// What tells the memories of one space apart: how the latent channel scores when it is asked alone.
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "agent/space_index.h"

namespace kvasir::agent {
namespace {

// Keys of which the covariance is taken: some for each of their numbers.
constexpr std::int64_t kSample = 2048;
// What was made of so many entries serves until there are this part of them more.
constexpr std::int64_t kGrowth = 16;
// Hits whose keys are whitened together: few megabytes.
constexpr std::size_t kRun = 128;

// The highest dot product of a key with one of the queries, [n, key.size()]. Sums of every
// kLanes-th product, which the compiler keeps in a vector.
float BestDot(std::span<const float> queries, std::span<const float> key) {
  constexpr std::size_t kLanes = 16;
  float best = -std::numeric_limits<float>::infinity();
  for (; !queries.empty(); queries = queries.subspan(key.size())) {
    std::array<float, kLanes> sums{};
    std::size_t i = 0;
    for (; i + kLanes <= key.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += queries[i + lane] * key[i + lane];
      }
    }
    for (; i < key.size(); ++i) sums[0] += queries[i] * key[i];
    best = std::max(best, std::accumulate(sums.begin(), sums.end(), 0.0F));
  }
  return best;
}

// The keys of some entries in one layer, overwritten when they are no longer needed: they may be
// forgotten next.
struct Keys {
  Keys() = default;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() { std::ranges::fill(rows, 0.0F); }

  Status Read(const compute::RouteIndex& index, std::int64_t layer,
              std::span<const std::uint32_t> entries) {
    // No reallocation leaves a copy behind.
    rows.reserve(entries.size() * static_cast<std::size_t>(index.shape().dim));
    return index.ReadKeys(layer, entries, [&](std::size_t i, std::span<const float> key) {
      if (rows.size() + key.size() > rows.capacity()) Grow();
      rows.insert(rows.end(), key.begin(), key.end());
      owners.push_back(i);
    });
  }

  std::vector<float> rows;          // [keys, dim]
  std::vector<std::size_t> owners;  // Whose each is, by place in the entries.

 private:
  void Grow() {
    std::vector<float> more;
    more.reserve(2 * rows.capacity());
    more.insert(more.end(), rows.begin(), rows.end());
    std::ranges::fill(rows, 0.0F);
    rows.swap(more);
  }
};

}  // namespace

std::vector<std::uint32_t> SpaceIndex::SampleEntries() const {
  const std::int64_t step = std::max<std::int64_t>(1, index_->Chunks() / kSample);
  std::vector<std::uint32_t> sample;
  std::int64_t number = 0;
  const std::shared_lock lock(mutex_);
  for (const Version& version : versions_) {
    for (std::uint32_t i = 0; i < version.entries; ++i, ++number) {
      if (number % step == 0) sample.push_back(version.first + i);
    }
  }
  return sample;
}

// Null when nothing is here.
Result<std::shared_ptr<const SpaceIndex::Apart>> SpaceIndex::MakeApart() const {
  auto apart = std::make_shared<Apart>();
  apart->entries = index_->Entries();
  const std::vector<std::uint32_t> sample = SampleEntries();
  for (std::int64_t layer = 0; layer < index_->shape().layers; ++layer) {
    Keys keys;
    KVASIR_RETURN_IF_ERROR(keys.Read(*index_, layer, sample));
    if (keys.rows.empty()) return std::shared_ptr<const Apart>();
    KVASIR_ASSIGN_OR_RETURN(auto whitening,
                            compute::Whitening::Make(keys.rows, index_->shape().dim, threads_));
    apart->layers.push_back(std::move(whitening));
  }
  return std::shared_ptr<const Apart>(std::move(apart));
}

Result<std::shared_ptr<const SpaceIndex::Apart>> SpaceIndex::GetApart() const {
  const std::lock_guard making(making_apart_);
  std::uint64_t erasures = 0;
  {
    const std::lock_guard lock(apart_mutex_);
    const std::int64_t known = apart_ != nullptr ? apart_->entries : 0;
    if (known > 0 && index_->Entries() <= known + known / kGrowth) return apart_;
    erasures = erasures_;
  }
  KVASIR_ASSIGN_OR_RETURN(std::shared_ptr<const Apart> made, MakeApart());
  const std::lock_guard lock(apart_mutex_);
  if (erasures_ == erasures) apart_ = made;
  return made;
}

// Nothing that was made of a forgotten key serves the next question.
void SpaceIndex::DropApart() {
  const std::lock_guard lock(apart_mutex_);
  apart_ = nullptr;
  ++erasures_;
}

// Adds what one layer says of a run of hits; `asked` are its query's vectors, whitened.
Status SpaceIndex::AddApart(const Apart& apart, std::int64_t layer, std::span<const float> asked,
                            std::span<const LatentHit> hits,
                            std::span<std::optional<double>> scores) const {
  Keys keys;
  std::vector<std::size_t> places;
  {
    const std::shared_lock lock(mutex_);
    const std::vector<std::uint32_t> entries = EntriesOf(hits, &places);
    KVASIR_RETURN_IF_ERROR(keys.Read(*index_, layer, entries));
  }
  const auto place = static_cast<std::size_t>(layer);
  const compute::Whitening& whitening = apart.layers[place];
  Keys whitened;
  whitened.rows.resize(keys.rows.size());
  KVASIR_RETURN_IF_ERROR(whitening.Apply(keys.rows, whitened.rows, threads_));
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  std::vector<float> best(hits.size(), kNothing);
  const auto dim = static_cast<std::size_t>(whitening.dim());
  for (std::size_t row = 0; row < keys.owners.size(); ++row) {
    float& to = best[places[keys.owners[row]]];
    to = std::max(to, BestDot(asked, std::span(whitened.rows).subspan(row * dim, dim)));
  }
  const double weight = double{spec_.layer_weights[place]};
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (best[i] != kNothing) scores[i] = scores[i].value_or(0) + weight * double{best[i]};
  }
  return Status::Ok();
}

Result<std::vector<std::optional<double>>> SpaceIndex::ScoreApart(
    std::span<const model::RouterQuery> layers, std::span<const LatentHit> hits) const {
  std::vector<std::optional<double>> scores(hits.size());
  if (!spec_.folds() || hits.empty()) return scores;
  KVASIR_ASSIGN_OR_RETURN(const std::shared_ptr<const Apart> apart, GetApart());
  if (apart == nullptr) return scores;
  for (const model::RouterQuery& query : layers) {
    const std::int64_t layer = spec_.IndexOf(query.layer);
    const compute::Whitening& whitening = apart->layers[static_cast<std::size_t>(layer)];
    std::vector<float> asked(query.vectors.size());
    KVASIR_RETURN_IF_ERROR(whitening.Apply(query.vectors, asked, threads_));
    for (std::size_t first = 0; first < hits.size(); first += kRun) {
      const std::size_t count = std::min(kRun, hits.size() - first);
      KVASIR_RETURN_IF_ERROR(AddApart(*apart, layer, asked, hits.subspan(first, count),
                                      std::span(scores).subspan(first, count)));
    }
  }
  return scores;
}

}  // namespace kvasir::agent
