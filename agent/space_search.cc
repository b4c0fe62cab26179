// How a SpaceIndex answers: a look at what is there, a scan that holds no lock of the space, a
// second look at what changed meanwhile.
#include <algorithm>
#include <limits>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "agent/space_index.h"
#include "compute/pool.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

// Below this a thread costs more to wake than it saves.
constexpr std::int64_t kChunksWorthThreads = 8192;

bool Better(const LatentHit& a, const LatentHit& b) {
  return a.score != b.score ? a.score > b.score : a.document < b.document;
}

bool SaysNothing(std::span<const model::RouterQuery> layers) {
  return layers.empty() ||
         std::ranges::any_of(layers, [](const auto& layer) { return layer.count == 0; });
}

bool Earlier(const LatentHit& a, const LatentHit& b) { return a.document < b.document; }

}  // namespace

/// What one question needs room for, kept for the next ones: 16 bytes a segment.
struct SpaceIndex::Question {
  std::vector<compute::RouteQuery> layers;
  std::vector<float> weights;         // One per layer.
  std::uint64_t changes = 0;          // The state of the index that it saw first.
  std::vector<std::uint32_t> owners;  // documents_ of that state.
  bool filtered = false;
  compute::EntryBitmap allowed;        // When filtered.
  std::vector<float> totals;           // By ordinal.
  std::vector<float> scores;           // Of one layer.
  std::vector<std::uint32_t> best;     // By document: its best entry.
  std::vector<std::uint32_t> present;  // Documents that have one.
  std::vector<std::uint32_t> also;     // Documents asked for besides.
  std::vector<std::uint32_t> chosen;   // Documents to be returned.
};

std::optional<LatentHit> LatentScores::Find(DocumentNumber document) const {
  const auto found = std::ranges::lower_bound(known_, LatentHit{.document = document}, Earlier);
  if (found == known_.end() || found->document != document) return std::nullopt;
  return *found;
}

Result<LatentScores> SpaceIndex::Score(const LatentQuery& query) const {
  return Answer(query, spec_.layer_weights);
}

Result<std::vector<LatentHit>> SpaceIndex::Select(const model::RouterQuery& query,
                                                  std::size_t count,
                                                  const storage::DocumentSet* allowed) const {
  const LatentQuery one{.layers = {&query, 1}, .allowed = allowed, .best = count};
  KVASIR_ASSIGN_OR_RETURN(const LatentScores scores, Answer(one, {}));
  return std::vector<LatentHit>(scores.best().begin(), scores.best().end());
}

Result<LatentScores> SpaceIndex::Answer(const LatentQuery& query,
                                        std::span<const float> weights) const {
  if (query.best == 0 || SaysNothing(query.layers)) return LatentScores();
  KVASIR_ASSIGN_OR_RETURN(const auto question, compute::PoolOfCores<Question>().Borrow());
  Ask(query.layers, weights, &*question);
  Begin(query, &*question);
  KVASIR_RETURN_IF_ERROR(Scan(query, &*question));
  Choose(query, &*question);
  return Finish(query, *question);
}

Result<std::vector<LatentHit>> SpaceIndex::ScoreSome(
    std::span<const model::RouterQuery> layers, std::span<const DocumentNumber> documents) const {
  if (SaysNothing(layers)) return std::vector<LatentHit>();
  Question question;
  Ask(layers, spec_.layer_weights, &question);
  const std::shared_lock lock(mutex_);
  return ScoreNow(question, documents);
}

void SpaceIndex::Ask(std::span<const model::RouterQuery> layers, std::span<const float> weights,
                     Question* question) const {
  question->layers.clear();
  question->weights.clear();
  for (const model::RouterQuery& layer : layers) {
    question->layers.push_back(QueryOf(layer));
    const auto index = static_cast<std::size_t>(question->layers.back().layer);
    question->weights.push_back(weights.empty() ? 1.0F : weights[index]);
  }
}

void SpaceIndex::Begin(const LatentQuery& query, Question* question) const {
  const std::shared_lock lock(mutex_);
  question->changes = changes_;
  question->owners.assign(documents_.begin(), documents_.end());
  const auto shown = [&](DocumentNumber document) {
    return query.allowed == nullptr || query.allowed->Contains(document);
  };
  // A filter that lets everything through would only slow the scan.
  question->filtered = leaving_ > 0;
  for (DocumentNumber d = 0; !question->filtered && d < versions_.size(); ++d) {
    question->filtered = versions_[d].entries > 0 && !shown(d);
  }
  if (!question->filtered) return;
  question->allowed = {};
  for (DocumentNumber d = 0; d < versions_.size(); ++d) {
    for (std::uint32_t i = 0; i < versions_[d].entries && shown(d); ++i) {
      question->allowed.Set(versions_[d].first + i);
    }
  }
}

compute::RouteQuery SpaceIndex::QueryOf(const model::RouterQuery& query) const {
  return {.layer = spec_.IndexOf(query.layer),
          .queries = query.vectors,
          .query_reduce = spec_.folds() ? compute::QueryReduce::kMax : spec_.query_reduce,
          .chunk_reduce = spec_.chunk_reduce,
          .bits = compute::QueryBits::k15,
          .threads = index_->Chunks() < kChunksWorthThreads ? 1 : threads_};
}

Status SpaceIndex::ScoreAll(const compute::RouteQuery& query, std::span<float> scores) const {
  const compute::RouteHeads heads{.heads = spec_.query_heads,
                                  .kv_heads = spec_.key_heads,
                                  .head_dim = spec_.head_dim,
                                  .reduce = compute::HeadReduce::kMax};
  return index_->ScanGeneral(query, heads, scores);
}

Status SpaceIndex::Scan(const LatentQuery& query, Question* question) const {
  for (compute::RouteQuery& layer : question->layers) {
    layer.allowed = question->filtered ? &question->allowed : nullptr;
  }
  question->totals.assign(question->owners.size(), 0.0F);
  question->also.assign(query.also.begin(), query.also.end());
  if (spec_.folds()) {
    const compute::RouteSum sum{.layers = question->layers,
                                .weights = question->weights,
                                .owners = question->owners,
                                .best = static_cast<std::int64_t>(query.best),
                                .also = question->also,
                                .effort = query.effort};
    return index_->ScanBest(sum, question->totals).status();
  }
  question->scores.resize(question->totals.size());
  for (std::size_t layer = 0; layer < question->layers.size(); ++layer) {
    KVASIR_RETURN_IF_ERROR(ScoreAll(question->layers[layer], question->scores));
    for (std::size_t i = 0; i < question->totals.size(); ++i) {
      question->totals[i] += question->weights[layer] * question->scores[i];
    }
  }
  return Status::Ok();
}

// The best segment of each document, then the best documents; those asked for besides behind them.
void SpaceIndex::Choose(const LatentQuery& query, Question* question) {
  const std::vector<float>& totals = question->totals;
  std::vector<std::uint32_t>& best = question->best;
  std::vector<std::uint32_t>& present = question->present;
  best.clear();
  present.clear();
  for (std::uint32_t i = 0; i < totals.size(); ++i) {
    if (totals[i] == kNothing) continue;
    const std::uint32_t document = question->owners[i];
    if (document >= best.size()) best.resize(document + std::size_t{1}, kNobody);
    if (best[document] == kNobody) present.push_back(document);
    // Ordinals of one document ascend with its segments: of equal ones the earlier stays.
    if (best[document] == kNobody || totals[i] > totals[best[document]]) best[document] = i;
  }
  question->chosen.resize(std::min(query.best, present.size()));
  const auto higher = [&](std::uint32_t a, std::uint32_t b) {
    const float x = totals[best[a]];
    const float y = totals[best[b]];
    return x != y ? x > y : a < b;
  };
  std::ranges::partial_sort_copy(present, question->chosen, higher);
  for (const std::uint32_t document : question->also) {
    if (document < best.size() && best[document] != kNobody) question->chosen.push_back(document);
  }
  std::ranges::sort(question->chosen);
  question->chosen.erase(std::unique(question->chosen.begin(), question->chosen.end()),
                         question->chosen.end());
}

Result<LatentScores> SpaceIndex::Finish(const LatentQuery& query, const Question& question) const {
  const std::shared_lock lock(mutex_);
  LatentScores result;
  std::vector<LatentHit>& known = result.known_;
  for (const std::uint32_t document : question.chosen) {
    const Version& version = versions_[document];
    if (version.change > question.changes) continue;
    const std::uint32_t entry = question.best[document];
    known.push_back({document, segments_[entry], version.generation, question.totals[entry]});
  }
  std::vector<DocumentNumber> changed;
  for (DocumentNumber d = 0; changes_ != question.changes && d < versions_.size(); ++d) {
    if (versions_[d].change <= question.changes) continue;
    if (query.allowed == nullptr || query.allowed->Contains(d)) changed.push_back(d);
  }
  KVASIR_ASSIGN_OR_RETURN(const std::vector<LatentHit> hits, ScoreNow(question, changed));
  known.insert(known.end(), hits.begin(), hits.end());
  std::ranges::sort(known, Earlier);
  result.best_.resize(std::min(query.best, known.size()));
  std::ranges::partial_sort_copy(known, result.best_, Better);
  return result;
}

// Under mutex_, so that the versions stay.
Result<std::vector<LatentHit>> SpaceIndex::ScoreNow(
    const Question& question, std::span<const DocumentNumber> documents) const {
  std::vector<std::uint32_t> entries;
  for (const DocumentNumber document : documents) {
    if (document >= versions_.size()) continue;
    const Version& version = versions_[document];
    for (std::uint32_t i = 0; i < version.entries; ++i) entries.push_back(version.first + i);
  }
  if (entries.empty()) return std::vector<LatentHit>();
  std::vector<float> totals(entries.size());
  std::vector<float> scores(entries.size());
  for (std::size_t layer = 0; layer < question.layers.size(); ++layer) {
    KVASIR_RETURN_IF_ERROR(ScoreEntries(question.layers[layer], entries, scores, {}));
    for (std::size_t i = 0; i < totals.size(); ++i) {
      totals[i] += question.weights[layer] * scores[i];
    }
  }
  std::vector<LatentHit> hits;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const DocumentNumber document = documents_[entries[i]];
    const LatentHit hit{document, segments_[entries[i]], versions_[document].generation, totals[i]};
    if (hits.empty() || hits.back().document != document) {
      hits.push_back(hit);
    } else if (hit.score > hits.back().score) {
      hits.back() = hit;
    }
  }
  return hits;
}

Status SpaceIndex::ScoreEntries(const compute::RouteQuery& query,
                                std::span<const std::uint32_t> entries, std::span<float> scores,
                                std::span<std::uint32_t> best_chunk) const {
  if (spec_.folds()) return index_->ScanEntries(query, entries, scores, best_chunk);
  compute::EntryBitmap wanted;
  for (const std::uint32_t entry : entries) wanted.Set(entry);
  compute::RouteQuery some = query;
  some.allowed = &wanted;
  std::vector<float> all(index_->Ordinals());
  KVASIR_RETURN_IF_ERROR(ScoreAll(some, all));
  for (std::size_t i = 0; i < entries.size(); ++i) scores[i] = all[entries[i]];
  return Status::Ok();
}

// Under mutex_: the entry of each hit that was not edited since it was scored; places[i] is in
// hits.
std::vector<std::uint32_t> SpaceIndex::EntriesOf(std::span<const LatentHit> hits,
                                                 std::vector<std::size_t>* places) const {
  std::vector<std::uint32_t> entries;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (hits[i].document >= versions_.size()) continue;
    const Version& version = versions_[hits[i].document];
    if (version.generation != hits[i].generation) continue;
    for (std::uint32_t entry = version.first; entry < version.first + version.entries; ++entry) {
      if (segments_[entry] != hits[i].segment) continue;
      entries.push_back(entry);
      places->push_back(i);
    }
  }
  return entries;
}

Result<std::vector<std::vector<LayerScore>>> SpaceIndex::Explain(
    std::span<const model::RouterQuery> queries, std::span<const LatentHit> hits) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::size_t> places;
  const std::vector<std::uint32_t> entries = EntriesOf(hits, &places);
  std::vector<std::vector<LayerScore>> explained(hits.size());
  std::vector<float> scores(entries.size());
  std::vector<std::uint32_t> chunks(entries.size());
  for (const model::RouterQuery& query : queries) {
    if (query.count == 0) break;
    KVASIR_RETURN_IF_ERROR(ScoreEntries(QueryOf(query), entries, scores, chunks));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      explained[places[i]].push_back({.layer = static_cast<std::uint32_t>(query.layer),
                                      .score = scores[i],
                                      .chunk = chunks[i]});
    }
  }
  return explained;
}

}  // namespace kvasir::agent
