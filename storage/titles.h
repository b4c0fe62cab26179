// Whose title stands in a text: the links that documents make when they name each other.
#ifndef STORAGE_TITLES_H_
#define STORAGE_TITLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/ids.h"
#include "storage/keyed_hash.h"

namespace kvasir::storage {

/// A document whose title a text names.
struct TitleMention {
  DocumentNumber document = 0;
  /// How much the mention says, in (0, 1]: min(words, 3) / 3 / sqrt(documents with this title).
  double strength = 0;
};

/// What a title is found by: keyed hashes of its runs (whole, without a bracket at its end) and of
/// its distinct terms.
struct TitleKeys {
  std::vector<std::uint64_t> runs;
  std::vector<std::uint64_t> terms;
};

/// The titles of one space, by keyed hash. A title is the run of its content terms
/// (query_terms.h), with and without a bracket at its end: "Mercury (planet)" is named by "Mercury"
/// too. Titles of more than 8 terms are sentences, which no text repeats: they are left out. About
/// 280 bytes a title of three terms. Thread-compatible.
class TitleIndex {
 public:
  /// Takes about 2 us.
  static TitleKeys Keys(const HashKey& key, std::string_view title);

  /// In place of the document's title before, if any.
  void Put(DocumentNumber document, TitleKeys keys);
  void Remove(DocumentNumber document);

  /// Documents named in `text`, ascending; a title that more than 64 share names none of them.
  /// Takes about 0.2 us per byte.
  std::vector<TitleMention> In(const HashKey& key, std::string_view text) const;

  /// Documents, ascending, whose title has a term of `names` that neither `question` nor the title
  /// of document `from` has: "History of Mississippi", for names out of "Pocahontas Mounds".
  /// Strength: the part of its terms that are of `names` or `question` / sqrt(titles with the
  /// name). A name that more than 64 titles have counts for none. Takes about 0.2 us per byte.
  std::vector<TitleMention> Sharing(const HashKey& key, std::string_view names,
                                    std::string_view question, DocumentNumber from) const;

 private:
  std::unordered_multimap<std::uint64_t, DocumentNumber> by_run_;
  std::unordered_map<std::uint64_t, std::vector<DocumentNumber>> by_term_;
  std::unordered_map<DocumentNumber, TitleKeys> keys_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_TITLES_H_
