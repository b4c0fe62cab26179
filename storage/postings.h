// Which terms a version of a document has, where and how often: as postings rows (one per term and
// segment) and as its forward list (one row, so that an erasure knows the exact keys).
#ifndef STORAGE_POSTINGS_H_
#define STORAGE_POSTINGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "storage/ids.h"
#include "storage/keyed_hash.h"
#include "storage/records.h"

namespace kvasir::storage {

/// One term in one segment. A title's terms count in every segment of its document.
struct TermCount {
  std::uint32_t segment = 0;
  std::uint32_t title = 0;  ///< Occurrences in the title.
  std::uint32_t text = 0;   ///< Occurrences in the segment's text.
  friend bool operator==(const TermCount&, const TermCount&) = default;
};

/// Everything lexical about one version of one document.
struct TermTable {
  Generation generation = 0;
  std::uint32_t title_length = 0;                         ///< Terms in the title, repeats included.
  std::vector<std::uint32_t> segment_lengths;             ///< The same for each segment's text.
  std::map<std::uint64_t, std::vector<TermCount>> terms;  ///< By term hash; segments ascend.

  std::uint64_t TextLength() const;
  friend bool operator==(const TermTable&, const TermTable&) = default;
};

TermTable BuildTermTable(const HashKey& key, std::string_view title, std::string_view text,
                         const std::vector<SegmentEntry>& segments);

std::string EncodeForward(const TermTable& table, std::string_view checked_key);
Result<TermTable> DecodeForward(std::string_view bytes, std::string_view checked_key);

/// A postings row's value.
struct PostingValue {
  Generation generation = 0;
  std::uint32_t title = 0;
  std::uint32_t text = 0;
  std::uint32_t title_length = 0;
  std::uint32_t segment_length = 0;   ///< Of the segment's text alone.
  std::uint64_t document_length = 0;  ///< Of the whole text, without the title.
  friend bool operator==(const PostingValue&, const PostingValue&) = default;
};

std::string EncodePosting(const PostingValue& value);
bool DecodePosting(std::string_view bytes, PostingValue* value);

/// Calls visit(key, value) for every postings row of `table`, in key order.
void ForEachPosting(
    SpaceId space, DocumentNumber number, const TermTable& table,
    const std::function<void(const std::string& key, const PostingValue& value)>& visit);

}  // namespace kvasir::storage

#endif  // STORAGE_POSTINGS_H_
