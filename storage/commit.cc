// Commits: every write of the store, as one synced batch with its ledger entry.
#include <algorithm>
#include <array>

#include "storage/coding.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kMaxWritesPerCommit = 4096;

// "m" and 26 base32 digits (RFC 4648, lower case) of 16 random bytes.
Result<std::string> MakeId(RandomSource* random) {
  constexpr char kDigits[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<std::uint8_t, 16> bytes{};
  KVASIR_RETURN_IF_ERROR(random->Fill(bytes));
  std::string id = "m";
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) id.push_back(kDigits[(bits >> (count - 5)) & 31]);
  }
  id.push_back(kDigits[(bits << (5 - count)) & 31]);
  return id;
}

std::uint64_t Tokens(const std::vector<SegmentEntry>& segments) {
  std::uint64_t tokens = 0;
  for (const SegmentEntry& entry : segments) tokens += entry.tokens;
  return tokens;
}

// What a version adds to the totals by which BM25 means are made.
std::uint64_t DocumentTerms(const TermTable& table) {
  return table.title_length + table.TextLength();
}
std::uint64_t SegmentTerms(const TermTable& table) {
  return table.title_length * table.segment_lengths.size() + table.TextLength();
}

}  // namespace

Result<CommitReceipt> Store::Impl::Commit(std::vector<DocumentWrite> writes) {
  if (writes.empty()) return InvalidArgument("a commit needs at least one document");
  if (writes.size() > kMaxWritesPerCommit) {
    return InvalidArgument("a commit takes at most " + std::to_string(kMaxWritesPerCommit) +
                           " documents");
  }
  const std::scoped_lock turn(write_mutex);
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/true));
  CommitPlan plan = StartPlan(LedgerKind::kWrite);
  CommitReceipt receipt{.sequence = plan.row.sequence, .documents = {}};
  {
    const ReadView view = engine->View();
    for (DocumentWrite& write : writes) {
      const std::string id = write.record.id;
      DocumentReceipt one;
      const Status planned = PlanWrite(view, std::move(write), &plan, &one);
      if (!planned.ok()) return id.empty() ? planned : planned.WithContext("memory \"" + id + "\"");
      receipt.documents.push_back(std::move(one));
    }
  }
  KVASIR_RETURN_IF_ERROR(Apply(std::move(plan)));
  const std::scoped_lock numbers(reserve_mutex);
  for (const DocumentReceipt& one : receipt.documents) reserved[one.space].open.erase(one.number);
  return receipt;
}

CommitPlan Store::Impl::StartPlan(LedgerKind kind) const {
  const std::shared_lock lock_state(state_mutex);
  CommitPlan plan;
  plan.kind = kind;
  plan.row = row;
  ++plan.row.sequence;
  return plan;
}

SpaceRow* Store::Impl::PlanSpace(SpaceId space, CommitPlan* plan) const {
  const auto planned = plan->spaces.find(space);
  if (planned != plan->spaces.end()) return &planned->second;
  const std::shared_lock lock_state(state_mutex);
  return &plan->spaces.emplace(space, spaces.at(space)).first->second;
}

HighWaterMark Store::Impl::NextMark(const CommitPlan& plan) const {
  HighWaterMark mark{.sequence = plan.row.sequence,
                     .chain = plan.row.chain,
                     .next_generation = plan.row.next_generation,
                     .next_space = plan.row.next_space,
                     .next_document = 0};
  for (const auto& [space, of_space] : spaces) {
    mark.next_document = std::max(mark.next_document, of_space.next_number);
  }
  for (const auto& [space, of_space] : plan.spaces) {
    mark.next_document = std::max(mark.next_document, of_space.next_number);
  }
  return mark;
}

Status Store::Impl::Apply(CommitPlan plan) {
  for (const auto& [space, of_space] : plan.spaces) {
    const std::string key = SpaceRowKey(space);
    if (plan.dropped.contains(space)) {
      plan.batch.Delete(Family::kMeta, key);
    } else {
      plan.batch.Put(Family::kMeta, key, EncodeSpaceRow(of_space, key));
    }
  }
  plan.row.documents += plan.created;
  plan.row.documents -= plan.erased;
  LedgerEntry entry{.sequence = plan.row.sequence,
                    .kind = plan.kind,
                    .time = clock.Now(),
                    .rows = plan.batch.Count(),
                    .created = plan.created,
                    .erased = plan.erased,
                    .documents = plan.row.documents};
  plan.row.chain = entry.chain = NextChain(plan.row.chain, entry);
  plan.batch.Put(Family::kLedger, LedgerKey(entry.sequence), EncodeLedgerEntry(entry));
  plan.batch.Put(Family::kMeta, kStoreRowKey, EncodeStoreRow(plan.row));

  posting_cache.Touch(plan.touched, entry.sequence);
  if (!plan.dropped.empty()) posting_cache.TouchAll(entry.sequence);
  KVASIR_RETURN_IF_ERROR(engine->Write(plan.batch));
  if (const Status advanced = high_water.Advance(NextMark(plan)); !advanced.ok()) {
    engine->Fail(advanced);
    return Unavailable("the commit is in the log but its high-water mark is not (" +
                       advanced.message() + "): open the store again to see whether it stayed");
  }
  Publish(&plan);
  return Status::Ok();
}

void Store::Impl::Publish(CommitPlan* plan) {
  {
    const std::scoped_lock lock_state(state_mutex);
    row = plan->row;
    if (plan->model) model = plan->model;
    for (auto& [space, of_space] : plan->spaces) {
      if (plan->dropped.contains(space)) {
        names.erase(of_space.name);
        spaces.erase(space);
      } else {
        names[of_space.name] = space;
        spaces[space] = of_space;
      }
    }
  }
  const std::scoped_lock lock_catalogue(catalogue_mutex);
  for (const Document& head : plan->heads) {
    const auto loaded = catalogues.find(head.space);
    if (loaded != catalogues.end()) PutInCatalogue(head, &loaded->second);
  }
  for (const auto& [space, number] : plan->removed) {
    const auto loaded = catalogues.find(space);
    if (loaded != catalogues.end()) loaded->second.Remove(number);
  }
  for (const SpaceId space : plan->dropped) catalogues.erase(space);
}

Status Store::Impl::PlanWrite(const ReadView& view, DocumentWrite write, CommitPlan* plan,
                              DocumentReceipt* receipt) {
  Document document;
  KVASIR_ASSIGN_OR_RETURN(document.space, FindSpace(write.record.space));
  document.generation = plan->row.next_generation++;
  if (write.record.id.empty() && write.mode == WriteMode::kCreate) {
    KVASIR_ASSIGN_OR_RETURN(write.record.id, MakeId(&random));
  }
  if (!plan->ids.emplace(document.space, write.record.id).second) {
    return InvalidArgument("the same id comes twice in one commit");
  }
  document.record = std::move(write.record);
  document.record.updated_at = clock.Now();
  for (const SegmentWrite& segment : write.segments) document.segments.push_back(segment.entry);
  KVASIR_RETURN_IF_ERROR(write.mode == WriteMode::kCreate
                             ? PlanCreate(view, &write, &document, plan)
                             : PlanReplace(view, &write, &document, plan));
  KVASIR_RETURN_IF_ERROR(ValidateRecord(document.record));
  KVASIR_RETURN_IF_ERROR(ValidateSegments(document.record.text, document.segments));
  document.record.content_hash = ContentHash(document.record.title, document.record.text);
  document.record.segments = static_cast<std::uint32_t>(document.segments.size());
  document.record.tokens = Tokens(document.segments);
  KVASIR_RETURN_IF_ERROR(PlanSegments(view, &write, document, plan));
  PlanRows(document, plan);
  if (write.once) {
    KVASIR_RETURN_IF_ERROR(PlanOnce(view, document.space, *write.once,
                                    {.id = document.record.id,
                                     .number = document.record.number,
                                     .version = document.record.version,
                                     .outcome = write.outcome,
                                     .segments = document.record.segments,
                                     .tokens = document.record.tokens,
                                     .content_hash = document.record.content_hash},
                                    plan));
  }
  *receipt = {.space = document.space,
              .number = document.record.number,
              .version = document.record.version,
              .generation = document.generation,
              .id = document.record.id,
              .content_hash = document.record.content_hash,
              .segments = document.record.segments,
              .tokens = document.record.tokens};
  return Status::Ok();
}

Status Store::Impl::PlanCreate(const ReadView& view, DocumentWrite* write, Document* document,
                               CommitPlan* plan) {
  MemoryRecord& record = document->record;
  KVASIR_ASSIGN_OR_RETURN(const auto taken, FindNumber(view, document->space, record.id));
  if (taken) {
    // An expired memory cannot be read any more: its id is free, its rows go in this same batch.
    KVASIR_ASSIGN_OR_RETURN(const auto old, LoadHead(view, document->space, *taken));
    if (!old || !Expired(old->record)) return Conflict("a memory with this id exists");
    EraseReceipt erased;
    KVASIR_ASSIGN_OR_RETURN(const bool gone,
                            PlanErase(view, document->space, *taken, plan, &erased));
    (void)gone;
    PlanPending({.deferred = true, .space = document->space, .runs = {{*taken, *taken + 1}}}, plan);
  }
  if (!write->number) {
    KVASIR_ASSIGN_OR_RETURN(write->number, ReserveNumbers(document->space, 1));
  }
  {
    const std::scoped_lock numbers(reserve_mutex);
    if (!reserved[document->space].open.contains(*write->number)) {
      return InvalidArgument("number " + std::to_string(*write->number) + " is not reserved");
    }
  }
  record.number = *write->number;
  record.version = 1;
  record.created_at = record.updated_at;
  SpaceRow* space = PlanSpace(document->space, plan);
  space->next_number = std::max(space->next_number, record.number + 1);
  ++space->documents;
  ++plan->created;
  return Status::Ok();
}

Status Store::Impl::PlanReplace(const ReadView& view, DocumentWrite* write, Document* document,
                                CommitPlan* plan) {
  const SpaceId space = document->space;
  KVASIR_ASSIGN_OR_RETURN(const auto number, FindNumber(view, space, document->record.id));
  if (!number) return NotFound("there is no memory with this id");
  KVASIR_ASSIGN_OR_RETURN(auto old, LoadHead(view, space, *number));
  if (!old || Expired(old->record)) return NotFound("there is no memory with this id");
  if (!write->if_match.empty() && write->if_match != old->record.content_hash) {
    return Conflict("the memory has changed: its content hash is " + old->record.content_hash);
  }
  if (write->if_generation != 0 && write->if_generation != old->generation) {
    return Conflict("the memory has changed since it was read");
  }
  const Document old_head = *old;
  KVASIR_RETURN_IF_ERROR(LoadBody(view, &*old));
  KVASIR_RETURN_IF_ERROR(PlanDropSegments(view, old_head, plan));
  if (write->mode == WriteMode::kReencode) {
    std::vector<SegmentEntry> segments = std::move(document->segments);
    const Generation generation = document->generation;
    *document = std::move(*old);
    document->segments = std::move(segments);
    document->generation = generation;
    return Status::Ok();
  }
  if (write->keep_segments) {
    if (document->record.text != old->record.text) {
      return InvalidArgument("keep_segments: the text is not the present one");
    }
    document->segments = old->segments;
  }
  document->record.number = *number;
  document->record.version = old->record.version + 1;
  document->record.created_at = old->record.created_at;
  const std::string key = VersionKey(space, *number, old->record.version);
  plan->batch.Put(Family::kHistory, key, EncodeHead(old_head, key));
  ++PlanSpace(space, plan)->versions;
  return Status::Ok();
}

Status Store::Impl::PlanDropSegments(const ReadView& view, const Document& old, CommitPlan* plan) {
  const DocumentNumber number = old.record.number;
  SpaceRow* space = PlanSpace(old.space, plan);
  KVASIR_ASSIGN_OR_RETURN(const auto table, LoadTerms(view, old.space, number));
  if (!table) return Corruption("the forward list is missing; run verify");
  PlanPostings(old.space, number, *table, /*put=*/false, plan);
  space->document_terms -= DocumentTerms(*table);
  space->segment_terms -= SegmentTerms(*table);
  space->segments -= old.record.segments;
  space->tokens -= old.record.tokens;
  for (std::uint32_t segment = 0; segment < old.record.segments; ++segment) {
    const std::string key = SegmentRowKey({old.space, number, segment});
    plan->batch.Delete(Family::kRouter, key);
    plan->batch.Delete(Family::kKv, key);
  }
  return Status::Ok();
}

Status Store::Impl::PlanSegments(const ReadView& view, DocumentWrite* write,
                                 const Document& document, CommitPlan* plan) {
  const bool keep = write->mode == WriteMode::kNewVersion && write->keep_segments;
  std::optional<ModelIdentity> present;
  {
    const std::shared_lock lock_state(state_mutex);
    present = model;
  }
  for (std::uint32_t i = 0; i < document.segments.size(); ++i) {
    const SegmentKey key{document.space, document.record.number, i};
    const std::string row_key = SegmentRowKey(key);
    for (const auto& [kind, family] : {std::pair(SegmentKind::kRouter, Family::kRouter),
                                       std::pair(SegmentKind::kKv, Family::kKv)}) {
      std::string record;
      if (keep) {
        KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(family, row_key, &record));
        if (!found) continue;
      } else {
        SegmentWrite& segment = write->segments[i];
        record = std::move(kind == SegmentKind::kRouter ? segment.router : segment.kv);
        if (record.empty()) continue;
      }
      KVASIR_RETURN_IF_ERROR(SealSegment(&record, kind, key, document.generation));
      KVASIR_ASSIGN_OR_RETURN(const SegmentView sealed, SegmentView::Parse(record, kind, false));
      if (!keep && (!present || sealed.fingerprint() != present->fingerprint)) {
        return Conflict("segment " + std::to_string(i) + " is not of the store's model");
      }
      plan->batch.Put(family, row_key, record);
    }
  }
  return Status::Ok();
}

void Store::Impl::PlanRows(const Document& document, CommitPlan* plan) {
  const MemoryRecord& record = document.record;
  const std::string key = DocumentKey(document.space, record.number);
  const std::string version_key = VersionKey(document.space, record.number, record.version);
  TermTable table = BuildTermTable(identity.hash_key, record.title, record.text, document.segments);
  table.generation = document.generation;
  plan->batch.Put(Family::kHeads, key, EncodeHead(document, key));
  plan->batch.Put(Family::kBodies, version_key, EncodeBody(document, version_key));
  plan->batch.Put(Family::kForward, key, EncodeForward(table, key));
  std::string number;
  ByteWriter(&number).Fixed(record.number);
  plan->batch.Put(Family::kIds, IdKey(document.space, identity.hash_key, record.id), number);
  PlanPostings(document.space, record.number, table, /*put=*/true, plan);
  SpaceRow* space = PlanSpace(document.space, plan);
  space->segments += record.segments;
  space->tokens += record.tokens;
  space->document_terms += DocumentTerms(table);
  space->segment_terms += SegmentTerms(table);
  Document head = document;
  head.record.text.clear();
  head.record.messages.clear();
  head.segments.clear();
  plan->heads.push_back(std::move(head));
}

void Store::Impl::PlanPostings(SpaceId space, DocumentNumber number, const TermTable& table,
                               bool put, CommitPlan* plan) const {
  ForEachPosting(space, number, table, [&](const std::string& key, const PostingValue& value) {
    if (put) {
      plan->batch.Put(Family::kPostings, key, EncodePosting(value));
    } else {
      plan->batch.Delete(Family::kPostings, key);
    }
  });
  for (const auto& [term, list] : table.terms) {
    plan->touched.push_back({space, BlockOf(number), term});
  }
}

}  // namespace kvasir::storage
