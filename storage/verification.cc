// Verification: reads everything and compares every part with every other.
#include <xxhash.h>

#include <map>

#include "storage/coding.h"
#include "storage/keys.h"
#include "storage/once.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kMaxProblems = 1000;

// Order-free sum over rows: two families agree if their sums do.
struct RowSum {
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;

  void Add(std::string_view key, std::string_view value) {
    ++rows;
    sum += XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(key.data(), key.size()));
  }
  friend bool operator==(const RowSum&, const RowSum&) = default;
};

class Verifier {
 public:
  Verifier(const Store::Impl& store, const ReadView& view, const CallOptions& call)
      : store_(store), view_(view), call_(call) {}

  Result<VerifyReport> Run() {
    KVASIR_RETURN_IF_ERROR(CheckLedger());
    std::map<SpaceId, SpaceRow> spaces;
    KVASIR_RETURN_IF_ERROR(ReadSpaces(&spaces));
    std::uint64_t documents = 0;
    for (const auto& [space, row] : spaces) {
      if (call_.stop.stop_requested()) return Cancelled("verify: stopped");
      KVASIR_RETURN_IF_ERROR(CheckSpace(space, row));
      documents += row.documents;
    }
    if (documents != ledger_documents_) {
      Problem("the ledger counts " + std::to_string(ledger_documents_) +
              " memories, the spaces count " + std::to_string(documents));
    }
    return std::move(report_);
  }

 private:
  struct Counts {
    std::uint64_t documents = 0, segments = 0, tokens = 0, versions = 0;
    std::uint64_t document_terms = 0, segment_terms = 0;
    RowSum postings;
    RowSum ids;
    std::map<DocumentNumber, std::pair<Generation, std::uint32_t>> present;  // Segment counts.
  };

  void Problem(const std::string& what) {
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(what);
  }

  Status CheckLedger() {
    ChainHash chain{};
    std::uint64_t sequence = 0;
    Cursor cursor = view_.Scan({Family::kLedger, "", ""});
    for (; cursor.Valid(); cursor.Next()) {
      const auto entry = DecodeLedgerEntry(cursor.value());
      if (!entry.ok()) {
        Problem("after commit " + std::to_string(sequence) + ": " + entry.status().message());
        return Status::Ok();
      }
      const bool follows = entry->sequence == sequence + 1 &&
                           cursor.key() == LedgerKey(entry->sequence) &&
                           entry->chain == NextChain(chain, *entry) &&
                           entry->documents == ledger_documents_ + entry->created - entry->erased;
      if (!follows) Problem("commit " + std::to_string(entry->sequence) + " breaks the ledger");
      chain = entry->chain;
      sequence = entry->sequence;
      ledger_documents_ = entry->documents;
    }
    report_.commits = sequence;
    std::string bytes;
    KVASIR_ASSIGN_OR_RETURN(const bool found, view_.Get(Family::kMeta, kStoreRowKey, &bytes));
    const auto row = found ? DecodeStoreRow(bytes) : Result<StoreRow>(StoreRow{});
    if (!row.ok() || row->sequence != sequence || row->chain != chain) {
      Problem("the store row is not the ledger's end");
    }
    return cursor.status();
  }

  Status ReadSpaces(std::map<SpaceId, SpaceRow>* spaces) {
    Cursor cursor = view_.Scan({Family::kMeta, "S", "T"});
    for (; cursor.Valid(); cursor.Next()) {
      auto row = DecodeSpaceRow(cursor.value(), cursor.key());
      if (row.ok()) {
        (*spaces)[static_cast<SpaceId>(BigEndian32(cursor.key().substr(1)))] = std::move(*row);
      } else {
        Problem(row.status().message());
      }
    }
    return cursor.status();
  }

  Status CheckSpace(SpaceId space, const SpaceRow& row) {
    where_ = "space \"" + row.name + "\": ";
    const std::string prefix = SpacePrefix(space);
    Counts counts;
    Cursor heads = view_.Scan({Family::kHeads, prefix, PrefixEnd(prefix)});
    for (; heads.Valid(); heads.Next()) {
      if (call_.stop.stop_requested()) return Cancelled("verify: stopped");
      if (call_.progress) call_.progress({"verify", report_.memories, 0});
      ++report_.memories;
      CheckDocument(space, BigEndian64(heads.key().substr(4)), heads.value(), &counts);
    }
    KVASIR_RETURN_IF_ERROR(heads.status());
    KVASIR_RETURN_IF_ERROR(CheckHistory(space, &counts));
    KVASIR_RETURN_IF_ERROR(CheckSums(space, counts));
    KVASIR_RETURN_IF_ERROR(CheckOnce(space, counts));
    KVASIR_RETURN_IF_ERROR(CheckSegments(space, SegmentKind::kRouter, counts));
    KVASIR_RETURN_IF_ERROR(CheckSegments(space, SegmentKind::kKv, counts));
    const bool same = counts.documents == row.documents && counts.segments == row.segments &&
                      counts.tokens == row.tokens && counts.versions == row.versions &&
                      counts.document_terms == row.document_terms &&
                      counts.segment_terms == row.segment_terms;
    if (!same) Problem(where_ + "its counters are not what its rows add up to");
    if (!counts.present.empty() && counts.present.rbegin()->first >= row.next_number) {
      Problem(where_ + "a memory has a number that was never given");
    }
    return Status::Ok();
  }

  void CheckDocument(SpaceId space, DocumentNumber number, std::string_view head, Counts* counts) {
    const std::string name = where_ + "memory " + std::to_string(number) + ": ";
    ++counts->documents;
    Result<Document> document = DecodeHead(head, DocumentKey(space, number));
    if (!document.ok()) return Problem(name + document.status().message());
    document->space = space;
    document->record.number = number;
    MemoryRecord& record = document->record;
    counts->segments += record.segments;
    counts->tokens += record.tokens;
    counts->present[number] = {document->generation, record.segments};
    std::string value;
    ByteWriter(&value).Fixed(number);
    counts->ids.Add(IdKey(space, store_.identity.hash_key, record.id), value);
    if (const Status body = store_.LoadBody(view_, &*document); !body.ok()) {
      Problem(name + body.message());
    } else if (record.content_hash != ContentHash(record.title, record.text)) {
      Problem(name + "the text is not what its content hash says");
    } else if (record.segments != document->segments.size()) {
      Problem(name + "its segment table has another length than its head says");
    }
    CheckTerms(*document, name, counts);
  }

  void CheckTerms(const Document& document, const std::string& name, Counts* counts) {
    const auto table = store_.LoadTerms(view_, document.space, document.record.number);
    if (!table.ok()) return Problem(name + table.status().message());
    if (!*table) return Problem(name + "its forward list is missing");
    const TermTable& terms = **table;
    if (terms.generation != document.generation ||
        terms.segment_lengths.size() != document.record.segments) {
      Problem(name + "its forward list is of another version");
    }
    counts->document_terms += terms.title_length + terms.TextLength();
    counts->segment_terms += terms.title_length * terms.segment_lengths.size() + terms.TextLength();
    ForEachPosting(document.space, document.record.number, terms,
                   [&](const std::string& key, const PostingValue& value) {
                     counts->postings.Add(key, EncodePosting(value));
                   });
  }

  Status CheckHistory(SpaceId space, Counts* counts) {
    const std::string prefix = SpacePrefix(space);
    Cursor cursor = view_.Scan({Family::kHistory, prefix, PrefixEnd(prefix)});
    for (; cursor.Valid(); cursor.Next()) {
      ++counts->versions;
      auto old = DecodeHead(cursor.value(), cursor.key());
      if (!old.ok()) {
        Problem(where_ + "an old version: " + old.status().message());
        continue;
      }
      old->space = space;
      old->record.number = BigEndian64(cursor.key().substr(4));
      if (const Status body = store_.LoadBody(view_, &*old); !body.ok()) {
        Problem(where_ + "an old version: " + body.message());
      }
    }
    return cursor.status();
  }

  Status CheckSums(SpaceId space, const Counts& counts) {
    const std::string prefix = SpacePrefix(space);
    RowSum postings;
    Cursor cursor = view_.Scan({Family::kPostings, prefix, PrefixEnd(prefix)});
    for (; cursor.Valid(); cursor.Next()) postings.Add(cursor.key(), cursor.value());
    KVASIR_RETURN_IF_ERROR(cursor.status());
    if (postings != counts.postings) {
      Problem(where_ + std::to_string(postings.rows) + " postings are not the " +
              std::to_string(counts.postings.rows) + " of the forward lists");
    }
    RowSum ids;
    Cursor id_rows = view_.Scan({Family::kIds, prefix, PrefixEnd(prefix)});
    for (; id_rows.Valid(); id_rows.Next()) ids.Add(id_rows.key(), id_rows.value());
    if (ids != counts.ids) Problem(where_ + "the ids are not those of its memories");
    return id_rows.status();
  }

  // Each idempotency key has a memory, and each memory knows its keys: erasing needs both.
  Status CheckOnce(SpaceId space, const Counts& counts) {
    const std::string prefix = OnceSpacePrefix('K', space);
    std::uint64_t keys = 0;
    std::string owner_row;
    Cursor cursor = view_.Scan({Family::kMeta, prefix, PrefixEnd(prefix)});
    for (; cursor.Valid(); cursor.Next()) {
      ++keys;
      const auto row = DecodeOnceRow(cursor.value(), cursor.key());
      if (!row.ok()) {
        Problem(where_ + row.status().message());
        continue;
      }
      const std::string owner = OnceOwnerPrefix(space, row->receipt.number) +
                                std::string(cursor.key().substr(prefix.size()));
      KVASIR_ASSIGN_OR_RETURN(const bool owned, view_.Get(Family::kMeta, owner, &owner_row));
      if (!owned || !counts.present.contains(row->receipt.number)) {
        Problem(where_ + "an idempotency key is of no present memory");
      }
    }
    KVASIR_RETURN_IF_ERROR(cursor.status());
    const std::string owners = OnceSpacePrefix('O', space);
    Cursor owned = view_.Scan({Family::kMeta, owners, PrefixEnd(owners)});
    for (; owned.Valid(); owned.Next()) --keys;
    if (keys != 0) Problem(where_ + "its idempotency keys are not those of its memories");
    return owned.status();
  }

  Status CheckSegments(SpaceId space, SegmentKind kind, const Counts& counts) {
    const std::string prefix = SpacePrefix(space);
    const Family family = kind == SegmentKind::kRouter ? Family::kRouter : Family::kKv;
    std::string aligned;
    std::uint64_t rows = 0;
    Cursor cursor = view_.Scan({family, prefix, PrefixEnd(prefix)});
    for (; cursor.Valid(); cursor.Next()) {
      ++rows;
      const SegmentKey key{space, BigEndian64(cursor.key().substr(4)),
                           BigEndian32(cursor.key().substr(12))};
      aligned.assign(cursor.value());
      const auto record = SegmentView::Parse(aligned, kind);
      const auto owner = counts.present.find(key.document);
      const bool belongs = record.ok() && record->key() == key && owner != counts.present.end() &&
                           record->generation() == owner->second.first &&
                           key.segment < owner->second.second;
      if (!belongs) {
        Problem(where_ + "segment " + std::to_string(key.segment) + " of memory " +
                std::to_string(key.document) + ": " +
                (record.ok() ? "it belongs to no present version" : record.status().message()));
      }
    }
    if (kind == SegmentKind::kRouter) {
      report_.segments += counts.segments;
      router_rows_ = rows;
    } else if (rows != router_rows_) {
      Problem(where_ + std::to_string(rows) + " KV records beside " + std::to_string(router_rows_) +
              " router records");
    }
    return cursor.status();
  }

  const Store::Impl& store_;
  const ReadView& view_;
  const CallOptions& call_;
  VerifyReport report_;
  std::string where_;
  std::uint64_t ledger_documents_ = 0;
  std::uint64_t router_rows_ = 0;
};

}  // namespace

Result<VerifyReport> Store::Impl::Verify(const CallOptions& call) const {
  const Status blocks = engine->VerifyChecksums();
  const ReadView view = engine->View();
  Result<VerifyReport> report = Verifier(*this, view, call).Run();
  if (!report.ok() && report.status().code() == StatusCode::kCorruption) {
    VerifyReport damaged;
    damaged.problems.push_back(report.status().message());
    report = std::move(damaged);
  }
  if (report.ok() && !blocks.ok()) report->problems.push_back(blocks.message());
  return report;
}

}  // namespace kvasir::storage
