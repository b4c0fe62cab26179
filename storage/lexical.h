// The lexical channel: BM25 (k1 0.9, b 0.4) over title and text, exact.
#ifndef STORAGE_LEXICAL_H_
#define STORAGE_LEXICAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kvasir/status.h"
#include "storage/ids.h"
#include "storage/keyed_hash.h"

namespace kvasir::storage {

inline constexpr double kBm25K1 = 0.9;
inline constexpr double kBm25B = 0.4;
/// Chosen on held-out training rows (docs/recall.md).
inline constexpr double kTitleBonus = 0.3;
inline constexpr double kRareBonus = 0.25;
inline constexpr double kSegmentShare = 0.65;

/// One document that shares a term with the query, best first; ties by document number.
struct LexicalHit {
  DocumentNumber document = 0;
  std::uint32_t segment = 0;   ///< Its best segment; the lowest number on a tie.
  Generation generation = 0;   ///< Of the version that was scored.
  double score = 0;            ///< Of the document; > 0.
  double coverage = 0;         ///< score / what a document could score at most, in (0, 1].
  std::vector<float> terms{};  ///< What each of the query's terms adds to the score, in its order.
};

class DocumentSet;
class PostingCache;
class ReadView;
struct SpaceRow;

/// What one search works on.
struct LexicalQuery {
  SpaceId space{};
  std::vector<std::string> terms;  ///< Distinct, in the query's order.
  const HashKey* key = nullptr;    ///< The store's, of its terms.
  std::size_t k = 0;
  const DocumentSet* allowed = nullptr;  ///< Null: all.
};

class LexicalScorer;

/// What a search has read, kept to score further documents by: the state of the store that it saw.
/// Holds the lists of its terms; nothing that a writer waits for. Not thread-safe.
struct LexicalState {
  std::vector<std::string> unknown;       ///< The query's terms that no document has.
  std::vector<float> limits;              ///< What each term adds less than; 0 for those.
  Generation next_generation = 0;         ///< Versions from this one on are younger than the state.
  std::shared_ptr<LexicalScorer> scorer;  ///< Null when no document has any of the terms.
};

/// Scores every document that has a term. `totals` and `sequence` are the view's own.
///
/// Document: tf = title + whole text, length likewise, N = documents. A title says what a document
/// is about, so each term scores once more by its count in the title alone, kTitleBonus times,
/// without length normalisation. `coverage` divides by the limit of that for ever more of every
/// term, terms that no document has included: what part of the question the document speaks of.
/// idf = ln(1 + (N - df + 0.5) / (df + 0.5)), times (idf / mean idf of the query)^kRareBonus: the
/// rare words of a question are what it is about. A long document has most words somewhere, an
/// answer has them together: kSegmentShare of the score is that of the best segment, as if it were
/// the document (a document of one segment scores the same). Chosen so are the k best of up to
/// 2 k that score best as a whole. A term that no document has counts as the words near to it
/// (term_lists.h), for a little less. `generation` of the hits is left 0. `state`, if given, is
/// filled but for its next_generation. Cost: one seek per term and block of 4096 documents that is
/// not cached; then one pass over the postings.
Result<std::vector<LexicalHit>> SearchBm25(const ReadView& view, const SpaceRow& totals,
                                           std::uint64_t sequence, const LexicalQuery& query,
                                           PostingCache* cache, LexicalState* state = nullptr);

/// What each of `documents` scores by the same, in their order; those that have none of the terms
/// are left out. `generation` of the hits is left 0: they are right for a version older than the
/// state's next one. Cost: a binary search per document and term.
std::vector<LexicalHit> ScoreMore(const LexicalState& state,
                                  std::span<const DocumentNumber> documents);

}  // namespace kvasir::storage

#endif  // STORAGE_LEXICAL_H_
