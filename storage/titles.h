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

/// The titles of one space, by keyed hash. A title is the run of its content terms
/// (query_terms.h), with and without a bracket at its end: "Mercury (planet)" is named by "Mercury"
/// too. Titles of more than 8 terms are sentences, which no text repeats: they are left out. About
/// 50 bytes a title. Thread-compatible.
class TitleIndex {
 public:
  /// Takes about 2 us.
  static std::vector<std::uint64_t> Keys(const HashKey& key, std::string_view title);

  void Put(DocumentNumber document, const std::vector<std::uint64_t>& keys);
  void Remove(DocumentNumber document, const std::vector<std::uint64_t>& keys);

  /// Documents named in `text`, ascending; a title that more than 64 share names none of them.
  /// Takes about 0.2 us per byte.
  std::vector<TitleMention> In(const HashKey& key, std::string_view text) const;

 private:
  std::unordered_multimap<std::uint64_t, DocumentNumber> documents_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_TITLES_H_
