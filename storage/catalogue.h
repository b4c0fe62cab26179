// What every recall asks of every document, in memory: session, expiry, validity, trust, title.
#ifndef STORAGE_CATALOGUE_H_
#define STORAGE_CATALOGUE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "kvasir/types.h"
#include "storage/document_set.h"
#include "storage/ids.h"
#include "storage/records.h"
#include "storage/titles.h"

namespace kvasir::storage {

/// One space's documents. 72 bytes per number ever given, about 66 more for one with a title.
/// Thread-compatible: the store locks.
class Catalogue {
 public:
  struct Query {
    std::optional<std::uint64_t> session;  ///< Keyed hash of its name.
    std::optional<Timestamp> as_of;
    Trust least_trust = Trust::kUntrusted;
    Timestamp now{};
  };

  /// `title_keys`: TitleIndex::Keys of the title.
  void Put(const Document& head, std::uint64_t session_hash, std::vector<std::uint64_t> title_keys);
  void Remove(DocumentNumber number);
  DocumentSet Select(const Query& query) const;
  const TitleIndex& titles() const { return titles_; }

 private:
  struct Entry {
    Timestamp expires_at = Timestamp::max();
    Timestamp valid_from = Timestamp::min();
    Timestamp valid_to = Timestamp::max();
    std::uint64_t session = 0;
    Trust trust = Trust::kUntrusted;
    bool present = false;
  };
  std::vector<Entry> entries_;  // By number.
  // By number, apart from the entries: every search passes over all of those.
  std::vector<std::vector<std::uint64_t>> title_keys_;
  TitleIndex titles_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_CATALOGUE_H_
