#include "storage/lexical.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "storage/document_set.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include "storage/ledger.h"
#include "storage/posting_cache.h"
#include "storage/postings.h"

namespace kvasir::storage {
namespace {

// By how much sums in another order may differ, and more.
constexpr double kRounding = 1e-9;

using ListPtr = std::shared_ptr<const PostingList>;

double Idf(double total, double with_term) {
  return std::log1p((total - with_term + 0.5) / (with_term + 0.5));
}

double Saturated(double idf, double count, double norm) {
  return idf * count * (kBm25K1 + 1) / (count + norm);
}

double TermScore(double idf, double count, double length, double mean_length) {
  return Saturated(idf, count, kBm25K1 * (1 - kBm25B + kBm25B * length / mean_length));
}

std::uint32_t Clamped(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

Result<ListPtr> ReadList(Cursor* cursor, const PostingListKey& key) {
  auto list = std::make_shared<PostingList>();
  const std::string prefix = TermPrefix(key.space, key.block, key.term);
  PostingValue value;
  for (cursor->Seek(prefix); cursor->Valid() && cursor->key().starts_with(prefix); cursor->Next()) {
    const std::string_view row = cursor->key();
    if (row.size() != kPostingKeyBytes || !DecodePosting(cursor->value(), &value) ||
        BigEndian16(row.substr(kTermPrefixBytes)) >= kBlockDocuments) {
      return Corruption("postings: bad row; run verify");
    }
    list->push_back({.document = BigEndian16(row.substr(kTermPrefixBytes)),
                     .segment = BigEndian32(row.substr(kTermPrefixBytes + 2)),
                     .title = value.title,
                     .text = value.text,
                     .title_length = value.title_length,
                     .segment_length = value.segment_length,
                     .document_length = Clamped(value.document_length)});
  }
  KVASIR_RETURN_IF_ERROR(cursor->status());
  list->shrink_to_fit();
  return ListPtr(std::move(list));
}

// One query term with its lists of every block, and what they add up to.
struct LoadedTerm {
  std::vector<ListPtr> blocks;
  std::uint64_t segments = 0;
  std::uint64_t documents = 0;
  double weight = 0;  // Its idf, raised for a rare one.

  // What it adds to a document at most, and less.
  double Limit() const { return weight * (kBm25K1 + 1) * (1 + kTitleBonus); }
};

std::uint64_t CountDocuments(const PostingList& list) {
  std::uint64_t documents = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    documents += i == 0 || list[i].document != list[i - 1].document ? 1 : 0;
  }
  return documents;
}

class Scorer {
 public:
  Scorer(const SpaceRow& totals, const LexicalQuery& query)
      : query_(query),
        documents_(static_cast<double>(totals.documents)),
        segments_(static_cast<double>(totals.segments)),
        document_mean_(static_cast<double>(totals.document_terms) / documents_),
        segment_mean_(static_cast<double>(totals.segment_terms) / segments_) {}

  Status Load(const ReadView& view, std::uint64_t sequence, std::uint32_t blocks,
              PostingCache* cache) {
    const std::string space = SpacePrefix(query_.space);
    Cursor cursor = view.Seeker({Family::kPostings, space, PrefixEnd(space)});
    for (const std::uint64_t term : query_.terms) {
      LoadedTerm& loaded = terms_.emplace_back();
      for (std::uint32_t block = 0; block < blocks; ++block) {
        const PostingListKey key{query_.space, block, term};
        ListPtr list = cache->Find(key, sequence);
        if (list == nullptr) {
          KVASIR_ASSIGN_OR_RETURN(list, ReadList(&cursor, key));
          cache->Insert(key, sequence, list);
        }
        loaded.segments += list->size();
        loaded.documents += CountDocuments(*list);
        loaded.blocks.push_back(std::move(list));
      }
    }
    return Status::Ok();
  }

  std::vector<LexicalHit> Best(std::uint32_t blocks) {
    WeighTerms();
    for (std::uint32_t block = 0; block < blocks; ++block) ScoreBlock(block);
    KeepBest(query_.k);
    std::sort(hits_.begin(), hits_.end(), Better);
    for (LexicalHit& hit : hits_) {
      hit.coverage = hit.score / most_;
      ChooseSegment(&hit);
    }
    return std::move(hits_);
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
      term.weight = Idf(documents_, static_cast<double>(term.documents));
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

  void ScoreBlock(std::uint32_t block) {
    scores_.fill(0);
    double rest = most_;
    for (const LoadedTerm* term : by_weight_) {
      AddTerm(*term, rest, *term->blocks[block]);
      rest -= term->Limit();
    }
    const DocumentNumber first = DocumentNumber{block} << kBlockBits;
    for (DocumentNumber i = 0; i < kBlockDocuments; ++i) {
      // Equal to the least of the best is not enough: those have lower numbers.
      if (scores_[i] <= least_) continue;
      if (query_.allowed != nullptr && !query_.allowed->Contains(first + i)) continue;
      hits_.push_back({.document = first + i, .score = scores_[i]});
    }
    KeepBest(query_.k);
  }

  // Heavy terms come first: a document without them that the rest of the terms cannot bring among
  // the best any more is passed over, and the long lists of light terms cost little (MaxScore,
  // Turtle and Flood 1995).
  void AddTerm(const LoadedTerm& term, double rest, const PostingList& list) {
    const double needed = least_ * (1 - kRounding) - rest;
    for (std::size_t i = 0; i < list.size();) {
      const Posting& posting = list[i];
      if (scores_[posting.document] < needed) {
        ++i;
        continue;
      }
      std::uint64_t count = posting.title;
      for (; i < list.size() && list[i].document == posting.document; ++i) count += list[i].text;
      const double length = static_cast<double>(posting.title_length) + posting.document_length;
      scores_[posting.document] +=
          TermScore(term.weight, static_cast<double>(count), length, document_mean_) +
          kTitleBonus * Saturated(term.weight, posting.title, kBm25K1);
    }
  }

  // Adds up the document's segments term by term; a document has few.
  void ChooseSegment(LexicalHit* hit) const {
    std::vector<std::pair<std::uint32_t, double>> scores;
    const auto document = static_cast<std::uint32_t>(hit->document % kBlockDocuments);
    for (const LoadedTerm& term : terms_) {
      const double idf = Idf(segments_, static_cast<double>(term.segments));
      const PostingList& list = *term.blocks[BlockOf(hit->document)];
      auto at = std::lower_bound(
          list.begin(), list.end(), document,
          [](const Posting& posting, std::uint32_t number) { return posting.document < number; });
      for (; at != list.end() && at->document == document; ++at) {
        auto known = std::lower_bound(
            scores.begin(), scores.end(), at->segment,
            [](const auto& score, std::uint32_t segment) { return score.first < segment; });
        if (known == scores.end() || known->first != at->segment) {
          known = scores.insert(known, {at->segment, 0.0});
        }
        const double length = static_cast<double>(at->title_length) + at->segment_length;
        known->second +=
            TermScore(idf, static_cast<double>(at->title) + at->text, length, segment_mean_);
      }
    }
    for (const auto& [segment, score] : scores) {
      if (score <= hit->segment_score) continue;
      hit->segment = segment;
      hit->segment_score = score;
    }
  }

  const LexicalQuery& query_;
  const double documents_;
  const double segments_;
  const double document_mean_;
  const double segment_mean_;
  std::vector<LoadedTerm> terms_;
  std::vector<const LoadedTerm*> by_weight_;      // Heaviest first.
  double most_ = 0;                               // What a document scores less than.
  std::array<double, kBlockDocuments> scores_{};  // 32 KiB: stays in the first-level cache.
  std::vector<LexicalHit> hits_;
  double least_ = 0;  // Of `hits_`, once they are as many as asked for.
};

}  // namespace

Result<std::vector<LexicalHit>> SearchBm25(const ReadView& view, const SpaceRow& totals,
                                           std::uint64_t sequence, const LexicalQuery& query,
                                           PostingCache* cache) {
  if (totals.documents == 0 || query.terms.empty() || query.k == 0) {
    return std::vector<LexicalHit>();
  }
  const auto blocks =
      static_cast<std::uint32_t>((totals.next_number + kBlockDocuments - 1) >> kBlockBits);
  const auto scorer = std::make_unique<Scorer>(totals, query);
  KVASIR_RETURN_IF_ERROR(scorer->Load(view, sequence, blocks, cache));
  return scorer->Best(blocks);
}

}  // namespace kvasir::storage
