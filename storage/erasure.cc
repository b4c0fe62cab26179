// Erasure: first logical (one synced batch), then physical (the bytes leave every file).
#include <algorithm>
#include <set>

#include "storage/coding.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

// One batch holds the deletions of this many documents: a few MB at most.
constexpr std::size_t kDocumentsPerBatch = 512;

void Tell(const CallOptions& call, std::uint64_t done, std::uint64_t total) {
  if (call.progress) call.progress({.stage = "erase", .done = done, .total = total});
}

}  // namespace

Result<bool> Store::Impl::PlanErase(const ReadView& view, SpaceId space, DocumentNumber number,
                                    CommitPlan* plan, EraseReceipt* receipt) {
  Result<std::optional<Document>> head = LoadHead(view, space, number);
  if (head.ok() && !*head) return false;
  const Document* document = head.ok() ? &**head : nullptr;
  const Status segments_dropped =
      document != nullptr ? PlanDropSegments(view, *document, plan) : head.status();
  if (!segments_dropped.ok()) {
    KVASIR_RETURN_IF_ERROR(PlanEraseDamaged(view, space, number, plan));
  } else {
    plan->batch.Delete(Family::kIds, IdKey(space, identity.hash_key, document->record.id));
  }
  KVASIR_RETURN_IF_ERROR(PlanEraseOnce(view, space, number, plan));
  SpaceRow* totals = PlanSpace(space, plan);
  if (document != nullptr) {
    totals->versions -= document->record.version - 1;
    receipt->segments += document->record.segments;
    receipt->versions += document->record.version - 1;
  }
  --totals->documents;
  ++plan->erased;
  ++receipt->documents;
  plan->removed.emplace_back(space, number);
  return true;
}

// The rows that would say which ids and postings are the document's cannot be read: look for them.
Status Store::Impl::PlanEraseDamaged(const ReadView& view, SpaceId space, DocumentNumber number,
                                     CommitPlan* plan) {
  const std::string prefix = SpacePrefix(space);
  std::string wanted;
  ByteWriter(&wanted).Fixed(number);
  Cursor ids = view.Scan({Family::kIds, prefix, PrefixEnd(prefix)});
  for (; ids.Valid(); ids.Next()) {
    if (ids.value() == wanted) plan->batch.Delete(Family::kIds, ids.key());
  }
  KVASIR_RETURN_IF_ERROR(ids.status());
  const std::string block = BlockPrefix(space, BlockOf(number));
  Cursor postings = view.Scan({Family::kPostings, block, PrefixEnd(block)});
  for (; postings.Valid(); postings.Next()) {
    const std::string_view key = postings.key();
    if (key.size() != kPostingKeyBytes) continue;
    if (BigEndian16(key.substr(kTermPrefixBytes)) != number % kBlockDocuments) continue;
    plan->batch.Delete(Family::kPostings, key);
    plan->touched.push_back({space, BlockOf(number), BigEndian64(key.substr(8))});
  }
  return postings.status();
}

void Store::Impl::PlanPending(const PendingErase& pending, CommitPlan* plan) const {
  // Rows that nothing refers to would be missed by exact deletes: the ranges take everything.
  for (const NumberRun& run : pending.runs) {
    for (const Family family : kDocumentFamilies) {
      plan->batch.DeleteRange(
          {family, DocumentKey(pending.space, run.begin), DocumentKey(pending.space, run.end)});
    }
  }
  const std::string key = PendingKey(plan->row.sequence, plan->pending++);
  plan->batch.Put(Family::kMeta, key, EncodePendingErase(pending, key));
}

Result<EraseReceipt> Store::Impl::Erase(SpaceId space, std::span<const DocumentNumber> numbers,
                                        const EraseOptions& erase) {
  const std::set<DocumentNumber> distinct(numbers.begin(), numbers.end());
  const std::vector<DocumentNumber> ascending(distinct.begin(), distinct.end());
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/false));
  KVASIR_RETURN_IF_ERROR(SpaceName(space).status());
  EraseReceipt receipt;
  for (std::size_t at = 0; at < ascending.size(); at += kDocumentsPerBatch) {
    if (erase.call.stop.stop_requested()) return Cancelled("erase: stopped between batches");
    const std::scoped_lock turn(write_mutex);
    CommitPlan plan = StartPlan(LedgerKind::kErase);
    std::vector<DocumentNumber> gone;
    {
      const ReadView view = engine->View();
      const std::size_t end = std::min(ascending.size(), at + kDocumentsPerBatch);
      for (std::size_t i = at; i < end; ++i) {
        KVASIR_ASSIGN_OR_RETURN(const bool erased,
                                PlanErase(view, space, ascending[i], &plan, &receipt));
        if (erased) gone.push_back(ascending[i]);
      }
    }
    if (gone.empty()) continue;
    PlanPending({.deferred = erase.defer, .space = space, .runs = RunsOf(gone, 0)}, &plan);
    KVASIR_RETURN_IF_ERROR(Apply(std::move(plan)));
    Tell(erase.call, receipt.documents, ascending.size());
  }
  if (erase.defer) return receipt;
  KVASIR_RETURN_IF_ERROR(FinishErasures(/*deferred_too=*/false));
  receipt.physical = true;
  return receipt;
}

Result<EraseReceipt> Store::Impl::EraseSpaces(const std::vector<SpaceId>& doomed,
                                              const EraseOptions& erase) {
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/false));
  EraseReceipt receipt;
  {
    const std::scoped_lock turn(write_mutex);
    CommitPlan plan = StartPlan(LedgerKind::kErase);
    for (const SpaceId space : doomed) {
      KVASIR_RETURN_IF_ERROR(SpaceName(space).status());
      const SpaceRow* totals = PlanSpace(space, &plan);
      receipt.documents += totals->documents;
      receipt.segments += totals->segments;
      receipt.versions += totals->versions;
      plan.erased += totals->documents;
      plan.dropped.insert(space);
      const std::string prefix = SpacePrefix(space);
      for (const Family family : {Family::kIds, Family::kPostings}) {
        plan.batch.DeleteRange({family, prefix, PrefixEnd(prefix)});
      }
      for (const Family family : kDocumentFamilies) {
        plan.batch.DeleteRange({family, prefix, PrefixEnd(prefix)});
      }
      for (const char kind : {'K', 'O'}) {
        const std::string keys = OnceSpacePrefix(kind, space);
        plan.batch.DeleteRange({Family::kMeta, keys, PrefixEnd(keys)});
      }
      PlanPending({.deferred = erase.defer, .space = space, .runs = {}}, &plan);
    }
    if (!doomed.empty()) KVASIR_RETURN_IF_ERROR(Apply(std::move(plan)));
  }
  if (erase.defer) return receipt;
  KVASIR_RETURN_IF_ERROR(FinishErasures(/*deferred_too=*/false));
  receipt.physical = true;
  return receipt;
}

Result<EraseReceipt> Store::Impl::PurgeExpired(const EraseOptions& erase) {
  std::vector<SpaceId> all;
  {
    const std::shared_lock lock_state(state_mutex);
    all.reserve(spaces.size());
    for (const auto& [space, of_space] : spaces) all.push_back(space);
  }
  EraseReceipt total{.physical = !erase.defer};
  for (const SpaceId space : all) {
    std::vector<DocumentNumber> expired;
    {
      const ReadView view = engine->View();
      const std::string prefix = SpacePrefix(space);
      Cursor cursor = view.Scan({Family::kHeads, prefix, PrefixEnd(prefix)});
      for (; cursor.Valid(); cursor.Next()) {
        const auto head = DecodeHead(cursor.value(), cursor.key());
        if (head.ok() && Expired(head->record)) {
          expired.push_back(BigEndian64(cursor.key().substr(4)));
        }
      }
      KVASIR_RETURN_IF_ERROR(cursor.status());
    }
    if (expired.empty()) continue;
    KVASIR_ASSIGN_OR_RETURN(const EraseReceipt one, Erase(space, expired, erase));
    total.documents += one.documents;
    total.segments += one.segments;
    total.versions += one.versions;
  }
  return total;
}

Result<EraseReceipt> Store::Impl::CompactErased(const CallOptions& /*call*/) {
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/false));
  KVASIR_RETURN_IF_ERROR(FinishErasures(/*deferred_too=*/true));
  return EraseReceipt{.physical = true};
}

Status Store::Impl::FinishErasures(bool deferred_too) {
  const std::scoped_lock physical(physical_mutex);
  std::vector<std::string> keys;
  std::vector<PendingErase> pending;
  {
    const ReadView view = engine->View();
    Cursor cursor = view.Scan({Family::kMeta, "P", "Q"});
    for (; cursor.Valid(); cursor.Next()) {
      KVASIR_ASSIGN_OR_RETURN(PendingErase one, DecodePendingErase(cursor.value(), cursor.key()));
      if (one.deferred && !deferred_too) continue;
      keys.emplace_back(cursor.key());
      pending.push_back(std::move(one));
    }
    KVASIR_RETURN_IF_ERROR(cursor.status());
  }
  if (pending.empty()) return Status::Ok();
  const Status erased = engine->ErasePhysically(RangesToCompact(pending), [&] {
    const std::scoped_lock turn(write_mutex);
    CommitPlan plan = StartPlan(LedgerKind::kPurged);
    for (const std::string& key : keys) plan.batch.Delete(Family::kMeta, key);
    return Apply(std::move(plan));
  });
  return erased.WithContext("the memories are gone for readers, maybe not yet from the files");
}

}  // namespace kvasir::storage
