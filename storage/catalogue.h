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

/// One space's documents. 56 bytes per number ever given, about 280 more for one with a title.
/// Thread-compatible: the store locks.
class Catalogue {
 public:
  struct Query {
    std::optional<std::uint64_t> session;  ///< Keyed hash of its name.
    std::optional<Timestamp> as_of;
    Trust least_trust = Trust::kUntrusted;
    Timestamp now{};
  };

  /// `session_hash`: of its session, `run_hash`: of what Neighbours share, 0 for nothing;
  /// `title_keys`: TitleIndex::Keys of the title.
  void Put(const Document& head, std::uint64_t session_hash, std::uint64_t run_hash,
           TitleKeys title_keys);
  void Remove(DocumentNumber number);
  DocumentSet Select(const Query& query) const;
  const TitleIndex& titles() const { return titles_; }
  /// Looks at most 32 numbers far: that many others may be written in between.
  Neighbours Beside(DocumentNumber number) const;

 private:
  struct Entry {
    Timestamp expires_at = Timestamp::max();
    Timestamp valid_from = Timestamp::min();
    Timestamp valid_to = Timestamp::max();
    std::uint64_t session = 0;
    std::uint64_t run = 0;
    Trust trust = Trust::kUntrusted;
    bool present = false;
  };
  std::vector<Entry> entries_;  // By number.
  TitleIndex titles_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_CATALOGUE_H_
