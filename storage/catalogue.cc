#include "storage/catalogue.h"

#include <algorithm>
#include <utility>

namespace kvasir::storage {
namespace {

constexpr DocumentNumber kReach = 32;

}  // namespace

void Catalogue::Put(const Document& head, std::uint64_t session_hash, std::uint64_t run_hash,
                    TitleKeys title_keys) {
  const MemoryRecord& record = head.record;
  if (record.number >= entries_.size()) entries_.resize(record.number + 1);
  titles_.Put(record.number, std::move(title_keys));
  entries_[record.number] = {.expires_at = record.expires_at.value_or(Timestamp::max()),
                             .valid_from = record.valid_from.value_or(Timestamp::min()),
                             .valid_to = record.valid_to.value_or(Timestamp::max()),
                             .session = session_hash,
                             .run = run_hash,
                             .trust = record.provenance.trust,
                             .present = true};
}

void Catalogue::Remove(DocumentNumber number) {
  if (number >= entries_.size()) return;
  titles_.Remove(number);
  entries_[number] = {};
}

DocumentSet Catalogue::Select(const Query& query) const {
  DocumentSet selected;
  for (DocumentNumber number = 0; number < entries_.size(); ++number) {
    const Entry& entry = entries_[number];
    if (!entry.present || entry.expires_at <= query.now) continue;
    if (query.session && entry.session != *query.session) continue;
    if (entry.trust < query.least_trust) continue;
    if (query.as_of && (*query.as_of < entry.valid_from || *query.as_of >= entry.valid_to)) {
      continue;
    }
    selected.Insert(number);
  }
  return selected;
}

Neighbours Catalogue::Beside(DocumentNumber number) const {
  Neighbours neighbours;
  if (number >= entries_.size() || entries_[number].run == 0) return neighbours;
  const std::uint64_t run = entries_[number].run;
  const DocumentNumber first = number - std::min(number, kReach);
  const DocumentNumber end = std::min<DocumentNumber>(number + kReach + 1, entries_.size());
  for (DocumentNumber before = number; before > first && !neighbours.before; --before) {
    if (entries_[before - 1].run == run) neighbours.before = before - 1;
  }
  for (DocumentNumber after = number + 1; after < end && !neighbours.after; ++after) {
    if (entries_[after].run == run) neighbours.after = after;
  }
  return neighbours;
}

}  // namespace kvasir::storage
