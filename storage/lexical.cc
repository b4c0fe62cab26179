#include "storage/lexical.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "storage/document_set.h"
#include "storage/keys.h"
#include "storage/ledger.h"
#include "storage/term_lists.h"

namespace kvasir::storage {
namespace {

// By how much sums in another order may differ, and more.
constexpr double kRounding = 1e-9;

double Idf(double total, double with_term) {
  return std::log1p((total - with_term + 0.5) / (with_term + 0.5));
}

double Saturated(double idf, double count, double norm) {
  return idf * count * (kBm25K1 + 1) / (count + norm);
}

double TermScore(double idf, double count, double length, double mean_length) {
  return Saturated(idf, count, kBm25K1 * (1 - kBm25B + kBm25B * length / mean_length));
}

// A word that only looks like the question's may be another one. Chosen on training rows
// (docs/recall.md).
constexpr double kRespelled = 0.8;

// Where documents are long, at most so many more than are asked for are looked at segment by
// segment.
constexpr std::size_t kMoreLong = 100;

struct LoadedTerm {
  TermLists lists;
  double weight = 0;  // Its idf, raised for a rare one.

  // What it adds to a document at most, and less.
  double Limit() const { return weight * (kBm25K1 + 1) * (1 + kTitleBonus); }
  double trusted_weight() const { return lists.respelled ? kRespelled * weight : weight; }
};

}  // namespace

class LexicalScorer {
 public:
  LexicalScorer(const SpaceRow& totals, std::uint32_t blocks)
      : blocks_(blocks),
        documents_(static_cast<double>(totals.documents)),
        mean_length_(static_cast<double>(totals.document_terms) / documents_),
        has_long_ones_(totals.segments > totals.documents) {}

  Status Load(std::span<const std::string> terms, TermReader* reader,
              std::vector<std::string>* unknown) {
    for (const std::string& term : terms) {
      KVASIR_ASSIGN_OR_RETURN(TermLists lists, reader->Read(term));
      const bool known = lists.documents > 0 && !lists.respelled;
      if (!known && unknown != nullptr) unknown->push_back(term);
      terms_.push_back({.lists = std::move(lists)});
    }
    WeighTerms();
    return Status::Ok();
  }

  std::vector<float> Limits() const {
    std::vector<float> limits;
    for (const LoadedTerm& term : terms_) {
      limits.push_back(term.lists.documents > 0 ? static_cast<float>(term.Limit()) : 0.0F);
    }
    return limits;
  }

  std::vector<LexicalHit> Best(std::size_t k, const DocumentSet* allowed) {
    // How many are looked at segment by segment.
    const std::size_t depth = k + (has_long_ones_ ? std::min(k, kMoreLong) : 0);
    for (std::uint32_t block = 0; block < blocks_; ++block) ScoreBlock(block, depth, allowed);
    for (LexicalHit& hit : hits_) Describe(&hit);
    KeepBest(k);
    std::sort(hits_.begin(), hits_.end(), Better);
    return std::move(hits_);
  }

  std::vector<LexicalHit> Only(std::span<const DocumentNumber> documents) {
    std::vector<LexicalHit> hits;
    for (const DocumentNumber document : documents) {
      if (BlockOf(document) >= blocks_) continue;
      LexicalHit hit{.document = document};
      Describe(&hit);
      if (hit.score > 0) hits.push_back(std::move(hit));
    }
    return hits;
  }

 private:
  static bool Better(const LexicalHit& left, const LexicalHit& right) {
    if (left.score != right.score) return left.score > right.score;
    return left.document < right.document;
  }

  void KeepBest(std::size_t k) {
    if (hits_.size() <= k) return;
    std::nth_element(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(k), hits_.end(),
                     Better);
    hits_.resize(k);
    least_ = std::min_element(hits_.begin(), hits_.end(), [](const auto& left, const auto& right) {
               return left.score < right.score;
             })->score;
  }

  void WeighTerms() {
    double sum = 0;
    for (LoadedTerm& term : terms_) {
      term.weight = Idf(documents_, static_cast<double>(term.lists.documents));
      sum += term.weight;
    }
    const double mean = sum / static_cast<double>(terms_.size());
    for (LoadedTerm& term : terms_) {
      term.weight *= std::pow(term.weight / mean, kRareBonus);
      most_ += term.Limit();
      by_weight_.push_back(&term);
    }
    std::ranges::stable_sort(by_weight_, std::greater{}, &LoadedTerm::weight);
  }

  void ScoreBlock(std::uint32_t block, std::size_t depth, const DocumentSet* allowed) {
    scores_.fill(0);
    double rest = most_;
    for (const LoadedTerm* term : by_weight_) {
      AddTerm(*term, rest, *term->lists.blocks[block]);
      rest -= term->Limit();
    }
    const DocumentNumber first = DocumentNumber{block} << kBlockBits;
    for (DocumentNumber i = 0; i < kBlockDocuments; ++i) {
      // Equal to the least of the best is not enough: those have lower numbers.
      if (scores_[i] <= least_) continue;
      if (allowed != nullptr && !allowed->Contains(first + i)) continue;
      hits_.push_back({.document = first + i, .score = scores_[i]});
    }
    KeepBest(depth);
  }

  // Heavy terms come first: a document without them that the rest of the terms cannot bring among
  // the best any more is passed over, and the long lists of light terms cost little (MaxScore,
  // Turtle and Flood 1995).
  void AddTerm(const LoadedTerm& term, double rest, const PostingList& list) {
    const double needed = least_ * (1 - kRounding) - rest;
    const double weight = term.trusted_weight();
    for (std::size_t i = 0; i < list.size();) {
      const Posting& posting = list[i];
      if (scores_[posting.document] < needed) {
        ++i;
        continue;
      }
      const std::span<const Posting> run = RunAt(list, i);
      scores_[posting.document] += DocumentScore(weight, run);
      i += run.size();
    }
  }

  // The postings of one document, from its first one on.
  static std::span<const Posting> RunAt(const PostingList& list, std::size_t begin) {
    std::size_t end = begin;
    while (end < list.size() && list[end].document == list[begin].document) ++end;
    return std::span(list).subspan(begin, end - begin);
  }

  // Of a document's postings by one term, at least one: of its segments together.
  double DocumentScore(double weight, std::span<const Posting> run) const {
    std::uint64_t text = 0;
    for (const Posting& at : run) text += at.text;
    return Score(weight, run.front(), text, run.front().document_length);
  }

  double SegmentScore(double weight, const Posting& at) const {
    return Score(weight, at, at.text, at.segment_length);
  }

  // Of one term that stands `text` times in so many words of text and as often in the title as
  // `posting` says.
  double Score(double weight, const Posting& posting, std::uint64_t text, double length) const {
    const auto count = static_cast<double>(posting.title + text);
    return TermScore(weight, count, posting.title_length + length, mean_length_) +
           kTitleBonus * Saturated(weight, posting.title, kBm25K1);
  }

  static std::span<const Posting> Of(DocumentNumber document, const LoadedTerm& term) {
    const PostingList& list = *term.lists.blocks[BlockOf(document)];
    const auto number = static_cast<std::uint32_t>(document % kBlockDocuments);
    const auto first = std::ranges::lower_bound(list, number, {}, &Posting::document);
    if (first == list.end() || first->document != number) return {};
    return RunAt(list, static_cast<std::size_t>(first - list.begin()));
  }

  // Its best segment, and what each term adds, to the score of the document and to that of this
  // segment.
  void Describe(LexicalHit* hit) {
    runs_.clear();
    segments_.clear();
    for (const LoadedTerm& term : terms_) {
      runs_.push_back(Of(hit->document, term));
      for (const Posting& at : runs_.back()) {
        if (at.segment >= segments_.size()) segments_.resize(at.segment + std::size_t{1});
        segments_[at.segment] += SegmentScore(term.trusted_weight(), at);
      }
    }
    const auto best = std::ranges::max_element(segments_);
    hit->segment = static_cast<std::uint32_t>(best - segments_.begin());
    hit->score = 0;
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      const double weight = terms_[t].trusted_weight();
      double score = runs_[t].empty() ? 0 : (1 - kSegmentShare) * DocumentScore(weight, runs_[t]);
      for (const Posting& at : runs_[t]) {
        if (at.segment == hit->segment) score += kSegmentShare * SegmentScore(weight, at);
      }
      hit->terms.push_back(static_cast<float>(score));
      hit->score += score;
    }
    hit->coverage = hit->score / most_;
  }

  const std::uint32_t blocks_;
  const double documents_;
  const double mean_length_;  // Of a document.
  const bool has_long_ones_;  // Documents of several segments.
  std::vector<LoadedTerm> terms_;
  std::vector<const LoadedTerm*> by_weight_;      // Heaviest first.
  double most_ = 0;                               // What a document scores less than.
  std::array<double, kBlockDocuments> scores_{};  // 32 KiB: stays in the first-level cache.
  std::vector<std::span<const Posting>> runs_;    // One document's, by term.
  std::vector<double> segments_;                  // Scores of its segments.
  std::vector<LexicalHit> hits_;
  double least_ = 0;  // Of `hits_`, once they are as many as asked for.
};

Result<std::vector<LexicalHit>> SearchBm25(const ReadView& view, const SpaceRow& totals,
                                           std::uint64_t sequence, const LexicalQuery& query,
                                           PostingCache* cache, LexicalState* state) {
  if (totals.documents == 0 || query.terms.empty() || query.k == 0) {
    return std::vector<LexicalHit>();
  }
  const auto blocks =
      static_cast<std::uint32_t>((totals.next_number + kBlockDocuments - 1) >> kBlockBits);
  const auto scorer = std::make_shared<LexicalScorer>(totals, blocks);
  TermReader reader(view, sequence, query.space, blocks, *query.key, cache);
  std::vector<std::string>* const unknown = state != nullptr ? &state->unknown : nullptr;
  KVASIR_RETURN_IF_ERROR(scorer->Load(query.terms, &reader, unknown));
  if (state != nullptr) {
    state->scorer = scorer;
    state->limits = scorer->Limits();
  }
  return scorer->Best(query.k, query.allowed);
}

std::vector<LexicalHit> ScoreMore(const LexicalState& state,
                                  std::span<const DocumentNumber> documents) {
  return state.scorer != nullptr ? state.scorer->Only(documents) : std::vector<LexicalHit>();
}

}  // namespace kvasir::storage
