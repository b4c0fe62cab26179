// The lexical channel: exact BM25 (k1 0.9, b 0.4) over title and text.
#ifndef STORAGE_LEXICAL_H_
#define STORAGE_LEXICAL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "storage/ids.h"

namespace kvasir::storage {

inline constexpr double kBm25K1 = 0.9;
inline constexpr double kBm25B = 0.4;

/// One document that shares a term with the query, best first; ties by document number.
struct LexicalHit {
  DocumentNumber document = 0;
  std::uint32_t segment = 0;  ///< Its best segment by BM25; the lowest number on a tie.
  Generation generation = 0;  ///< Of the version that was scored.
  double score = 0;           ///< BM25 of the document; > 0.
  double segment_score = 0;   ///< BM25 of that segment (title and its text) alone.
};

class DocumentSet;
class PostingCache;
class ReadView;
struct SpaceRow;

/// A term of a query and how often the query has it.
struct QueryTerm {
  std::uint64_t hash = 0;
  std::uint32_t count = 0;
};

/// What one search works on.
struct LexicalQuery {
  SpaceId space{};
  std::vector<QueryTerm> terms;  ///< Distinct, in the query's order.
  std::size_t k = 0;
  const DocumentSet* allowed = nullptr;  ///< Null: all.
};

/// Scores every document that has a term. `totals` and `sequence` are the view's own.
///
/// Document: tf = title + whole text, length likewise, N = documents. The best segment is chosen by
/// the same formula over segments (tf and length of title + segment, N = segments).
/// idf = ln(1 + (N - df + 0.5) / (df + 0.5)). `generation` of the hits is left 0.
/// Cost: one seek per term and block of 4096 documents that is not cached; then one pass over the
/// postings.
Result<std::vector<LexicalHit>> SearchBm25(const ReadView& view, const SpaceRow& totals,
                                           std::uint64_t sequence, const LexicalQuery& query,
                                           PostingCache* cache);

}  // namespace kvasir::storage

#endif  // STORAGE_LEXICAL_H_
