// Reads: each through one ReadView, so that it sees one state.
#include <algorithm>
#include <map>

#include "storage/analyzer.h"
#include "storage/coding.h"
#include "storage/filter.h"
#include "storage/keys.h"
#include "storage/query_terms.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

Status NoMemory(std::string_view id) {
  return NotFound("there is no memory \"" + std::string(id) + "\" in this space");
}

bool ValidAt(const MemoryRecord& record, Timestamp time) {
  return (!record.valid_from || *record.valid_from <= time) &&
         (!record.valid_to || time < *record.valid_to);
}

bool Selected(const MemoryRecord& record, const Selection& selection,
              const std::optional<CompiledFilter>& filter) {
  if (!selection.session.empty() && record.session != selection.session) return false;
  if (record.provenance.trust < selection.least_trust) return false;
  if (selection.as_of && !ValidAt(record, *selection.as_of)) return false;
  return !filter || filter->Matches(record);
}

Result<std::optional<CompiledFilter>> CompileFilter(const Selection& selection) {
  if (!selection.filter) return std::optional<CompiledFilter>();
  KVASIR_ASSIGN_OR_RETURN(CompiledFilter filter, CompiledFilter::Compile(*selection.filter));
  return std::optional<CompiledFilter>(std::move(filter));
}

std::string Named(const char* what, SpaceId space, DocumentNumber number) {
  return std::string(what) + " of memory " + std::to_string(number) + " in space " +
         std::to_string(static_cast<std::uint32_t>(space));
}

}  // namespace

void Store::Impl::Report(const std::string& problem) const {
  if (options.on_problem) options.on_problem(problem);
}

bool Store::Impl::Expired(const MemoryRecord& record) const {
  return record.expires_at && *record.expires_at <= clock.Now();
}

Result<std::optional<DocumentNumber>> Store::Impl::FindNumber(const ReadView& view, SpaceId space,
                                                              std::string_view id) const {
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found,
                          view.Get(Family::kIds, IdKey(space, identity.hash_key, id), &bytes));
  if (!found) return std::optional<DocumentNumber>();
  ByteReader in(bytes);
  const auto number = in.Fixed<DocumentNumber>();
  if (!in.AtEnd()) return Corruption("an id's row has the wrong length; run verify");
  return std::optional(number);
}

Result<std::optional<Document>> Store::Impl::LoadHead(const ReadView& view, SpaceId space,
                                                      DocumentNumber number) const {
  const std::string key = DocumentKey(space, number);
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(Family::kHeads, key, &bytes));
  if (!found) return std::optional<Document>();
  Result<Document> document = DecodeHead(bytes, key);
  if (!document.ok()) {
    Report(Named("head", space, number) + ": " + document.status().message());
    return document.status();
  }
  KVASIR_ASSIGN_OR_RETURN(document->record.space, SpaceName(space));
  document->record.number = number;
  document->space = space;
  return std::optional<Document>(std::move(*document));
}

Status Store::Impl::LoadBody(const ReadView& view, Document* document) const {
  const DocumentNumber number = document->record.number;
  const std::string key = VersionKey(document->space, number, document->record.version);
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(Family::kBodies, key, &bytes));
  Status decoded = found ? DecodeBody(bytes, key, document) : Corruption("the text is missing");
  if (!decoded.ok()) Report(Named("body", document->space, number) + ": " + decoded.message());
  return decoded;
}

Result<std::optional<TermTable>> Store::Impl::LoadTerms(const ReadView& view, SpaceId space,
                                                        DocumentNumber number) const {
  const std::string key = DocumentKey(space, number);
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(Family::kForward, key, &bytes));
  if (!found) return std::optional<TermTable>();
  KVASIR_ASSIGN_OR_RETURN(TermTable table, DecodeForward(bytes, key));
  return std::optional<TermTable>(std::move(table));
}

Result<Document> Store::Impl::Get(SpaceId space, std::string_view id) const {
  const ReadView view = engine->View();
  KVASIR_ASSIGN_OR_RETURN(const auto number, FindNumber(view, space, id));
  if (!number) return NoMemory(id);
  KVASIR_ASSIGN_OR_RETURN(auto document, LoadHead(view, space, *number));
  // The id in the record decides: the key is only its hash.
  if (!document || document->record.id != id || Expired(document->record)) return NoMemory(id);
  KVASIR_RETURN_IF_ERROR(LoadBody(view, &*document));
  return *std::move(document);
}

Result<Document> Store::Impl::GetByNumber(SpaceId space, DocumentNumber number) const {
  const ReadView view = engine->View();
  KVASIR_ASSIGN_OR_RETURN(auto document, LoadHead(view, space, number));
  if (!document || Expired(document->record)) {
    return NotFound("there is no memory with number " + std::to_string(number));
  }
  KVASIR_RETURN_IF_ERROR(LoadBody(view, &*document));
  return *std::move(document);
}

Result<std::vector<std::optional<Document>>> Store::Impl::GetMany(
    SpaceId space, std::span<const DocumentNumber> numbers, bool with_text) const {
  const ReadView view = engine->View();
  KVASIR_ASSIGN_OR_RETURN(const std::string name, SpaceName(space));
  std::vector<std::string> keys;
  for (const DocumentNumber number : numbers) keys.push_back(DocumentKey(space, number));
  const auto rows = view.MultiGet(Family::kHeads, keys);
  std::vector<std::optional<Document>> documents(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!rows[i].ok() && rows[i].status().code() == StatusCode::kNotFound) continue;
    KVASIR_RETURN_IF_ERROR(rows[i].status());
    Result<Document> document = DecodeHead(**rows[i], keys[i]);
    if (!document.ok()) {
      Report(Named("head", space, numbers[i]) + ": " + document.status().message());
      continue;
    }
    document->space = space;
    document->record.number = numbers[i];
    document->record.space = name;
    if (Expired(document->record)) continue;
    if (with_text && !LoadBody(view, &*document).ok()) continue;
    documents[i] = std::move(*document);
  }
  return documents;
}

Result<std::vector<Document>> Store::Impl::History(SpaceId space, std::string_view id) const {
  const ReadView view = engine->View();
  KVASIR_ASSIGN_OR_RETURN(const auto number, FindNumber(view, space, id));
  if (!number) return NoMemory(id);
  KVASIR_ASSIGN_OR_RETURN(auto present, LoadHead(view, space, *number));
  if (!present || present->record.id != id || Expired(present->record)) return NoMemory(id);
  std::vector<Document> versions;
  const std::string prefix = DocumentKey(space, *number);
  Cursor cursor = view.Scan({Family::kHistory, prefix, PrefixEnd(prefix)});
  for (; cursor.Valid(); cursor.Next()) {
    KVASIR_ASSIGN_OR_RETURN(Document old, DecodeHead(cursor.value(), cursor.key()));
    old.space = space;
    old.record.space = present->record.space;
    old.record.number = *number;
    versions.push_back(std::move(old));
  }
  KVASIR_RETURN_IF_ERROR(cursor.status());
  versions.push_back(*std::move(present));
  for (Document& version : versions) KVASIR_RETURN_IF_ERROR(LoadBody(view, &version));
  for (std::size_t i = 0; i + 1 < versions.size(); ++i) versions[i].segments.clear();
  return versions;
}

Result<ScanSummary> Store::Impl::ScanHeads(const ReadView& view, SpaceId space, DocumentNumber from,
                                           const std::function<bool(Document&)>& visit) const {
  KVASIR_ASSIGN_OR_RETURN(const std::string name, SpaceName(space));
  ScanSummary summary;
  Cursor cursor =
      view.Scan({Family::kHeads, DocumentKey(space, from), PrefixEnd(SpacePrefix(space))});
  const Timestamp now = clock.Now();
  for (; cursor.Valid(); cursor.Next()) {
    const std::string_view key = cursor.key();
    Result<Document> document = key.size() == kDocumentKeyBytes
                                    ? DecodeHead(cursor.value(), key)
                                    : Result<Document>(Corruption("head: bad key"));
    if (!document.ok()) {
      Report("space " + name + ": " + document.status().message());
      ++summary.misses;
      continue;
    }
    if (document->record.expires_at && *document->record.expires_at <= now) continue;
    document->space = space;
    document->record.space = name;
    document->record.number = BigEndian64(key.substr(4));
    ++summary.rows;
    if (!visit(*document)) return summary;
  }
  KVASIR_RETURN_IF_ERROR(cursor.status());
  return summary;
}

Result<ListResult> Store::Impl::List(SpaceId space, const ListQuery& query) const {
  if (query.limit == 0) return InvalidArgument("limit is 0");
  KVASIR_ASSIGN_OR_RETURN(const auto filter, CompileFilter(query.selection));
  const ReadView view = engine->View();
  ListResult result;
  Status failed;
  const auto summary = ScanHeads(view, space, query.from, [&](Document& document) {
    if (!Selected(document.record, query.selection, filter)) return true;
    if (result.documents.size() == query.limit) {
      result.next = document.record.number;
      return false;
    }
    if (query.with_text) failed = LoadBody(view, &document);
    result.documents.push_back(std::move(document));
    return failed.ok();
  });
  KVASIR_RETURN_IF_ERROR(summary.status());
  KVASIR_RETURN_IF_ERROR(failed);
  return result;
}

Result<DocumentSet> Store::Impl::Select(SpaceId space, const Selection& selection) const {
  if (!selection.filter) return SelectInMemory(space, selection);
  KVASIR_ASSIGN_OR_RETURN(const auto filter, CompileFilter(selection));
  DocumentSet selected;
  const auto summary = ScanHeads(engine->View(), space, 0, [&](const Document& document) {
    if (Selected(document.record, selection, filter)) selected.Insert(document.record.number);
    return true;
  });
  KVASIR_RETURN_IF_ERROR(summary.status());
  return selected;
}

void Store::Impl::PutInCatalogue(const Document& head, Catalogue* catalogue) const {
  const MemoryRecord& record = head.record;
  // Pieces of a page say enough by themselves (docs/recall.md), turns under a title do not. A byte
  // that no term begins with keeps a session apart from a title of the same words.
  const bool is_turn = !record.title.empty() && record.tokens <= kTurnTokens;
  const std::uint64_t run = !record.session.empty() ? TermHash("\x01" + record.session)
                            : is_turn               ? TermHash("\x02" + record.title)
                                                    : 0;
  catalogue->Put(head, TermHash(record.session), run,
                 TitleIndex::Keys(identity.hash_key, record.title));
}

Result<std::vector<TitleMention>> Store::Impl::TitlesIn(SpaceId space,
                                                        std::string_view text) const {
  KVASIR_RETURN_IF_ERROR(LoadCatalogue(space));
  const std::shared_lock lock_catalogue(catalogue_mutex);
  const auto loaded = catalogues.find(space);
  if (loaded == catalogues.end()) return std::vector<TitleMention>();
  return loaded->second.titles().In(identity.hash_key, text);
}

Result<std::vector<TitleMention>> Store::Impl::TitlesSharing(SpaceId space, std::string_view text,
                                                             std::string_view question,
                                                             DocumentNumber from) const {
  KVASIR_RETURN_IF_ERROR(LoadCatalogue(space));
  const std::shared_lock lock_catalogue(catalogue_mutex);
  const auto loaded = catalogues.find(space);
  if (loaded == catalogues.end()) return std::vector<TitleMention>();
  return loaded->second.titles().Sharing(identity.hash_key, text, question, from);
}

Result<std::vector<Neighbours>> Store::Impl::Beside(SpaceId space,
                                                    std::span<const DocumentNumber> numbers) const {
  KVASIR_RETURN_IF_ERROR(LoadCatalogue(space));
  std::vector<Neighbours> neighbours(numbers.size());
  const std::shared_lock lock_catalogue(catalogue_mutex);
  const auto loaded = catalogues.find(space);
  if (loaded == catalogues.end()) return neighbours;
  std::transform(numbers.begin(), numbers.end(), neighbours.begin(),
                 [&](DocumentNumber number) { return loaded->second.Beside(number); });
  return neighbours;
}

Result<DocumentSet> Store::Impl::SelectInMemory(SpaceId space, const Selection& selection) const {
  KVASIR_RETURN_IF_ERROR(LoadCatalogue(space));
  Catalogue::Query query{.session = std::nullopt,
                         .as_of = selection.as_of,
                         .least_trust = selection.least_trust,
                         .now = clock.Now()};
  if (!selection.session.empty()) query.session = TermHash(selection.session);
  const std::shared_lock lock_catalogue(catalogue_mutex);
  const auto loaded = catalogues.find(space);
  return loaded == catalogues.end() ? DocumentSet() : loaded->second.Select(query);
}

Status Store::Impl::LoadCatalogue(SpaceId space) const {
  {
    const std::shared_lock lock_catalogue(catalogue_mutex);
    if (catalogues.contains(space)) return Status::Ok();
  }
  // The lock is taken before the view: a commit that the view does not see publishes after us.
  const std::scoped_lock lock_catalogue(catalogue_mutex);
  if (catalogues.contains(space)) return Status::Ok();
  Catalogue catalogue;
  const auto summary = ScanHeads(engine->View(), space, 0, [&](const Document& head) {
    PutInCatalogue(head, &catalogue);
    return true;
  });
  KVASIR_RETURN_IF_ERROR(summary.status());
  catalogues.emplace(space, std::move(catalogue));
  return Status::Ok();
}

Result<std::vector<SessionInfo>> Store::Impl::Sessions(SpaceId space) const {
  std::map<std::string, SessionInfo> sessions;
  const auto summary = ScanHeads(engine->View(), space, 0, [&](const Document& document) {
    SessionInfo& info = sessions[document.record.session];
    ++info.memories;
    info.last_write = std::max(info.last_write, document.record.updated_at);
    return true;
  });
  KVASIR_RETURN_IF_ERROR(summary.status());
  std::vector<SessionInfo> infos;
  infos.reserve(sessions.size());
  for (auto& [name, info] : sessions) {
    info.name = name;
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<SegmentView> Store::Impl::CheckSegment(std::string_view bytes, SegmentKind kind,
                                              const SegmentKey& key, Generation generation) const {
  KVASIR_ASSIGN_OR_RETURN(const SegmentView view, SegmentView::Parse(bytes, kind));
  if (view.key() != key) return Corruption("segment record: it belongs to another segment");
  if (generation != 0 && view.generation() != generation) {
    return NotFound("the segment is of another generation");
  }
  const std::shared_lock lock_state(state_mutex);
  if (model && view.fingerprint() != model->fingerprint) {
    return NotFound("the segment is of another model: re-encode");
  }
  return view;
}

std::vector<Result<StoredSegment>> Store::Impl::ReadSegments(
    SegmentKind kind, std::span<const SegmentRequest> requests) const {
  const ReadView view = engine->View();
  std::vector<std::string> keys;
  keys.reserve(requests.size());
  for (const SegmentRequest& request : requests) keys.push_back(SegmentRowKey(request.key));
  auto rows = view.MultiGet(kind == SegmentKind::kRouter ? Family::kRouter : Family::kKv, keys);
  std::vector<Result<StoredSegment>> segments;
  segments.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const SegmentRequest& request = requests[i];
    if (!rows[i].ok()) {
      segments.emplace_back(rows[i].status().code() == StatusCode::kNotFound
                                ? NotFound("there is no such segment")
                                : rows[i].status());
      continue;
    }
    std::unique_ptr<std::string> bytes = *std::move(rows[i]);
    const auto checked = CheckSegment(*bytes, kind, request.key, request.generation);
    if (checked.ok()) {
      segments.emplace_back(StoredSegment(std::move(bytes), *checked));
      continue;
    }
    if (checked.status().code() == StatusCode::kCorruption) {
      Report(Named("segment", request.key.space, request.key.document) + ": " +
             checked.status().message());
    }
    segments.emplace_back(checked.status());
  }
  return segments;
}

Result<ScanSummary> Store::Impl::ScanRouter(SpaceId space,
                                            const std::function<bool(const SegmentView&)>& visit,
                                            const DocumentRange& range) const {
  const ReadView view = engine->View();
  ScanSummary summary;
  std::string aligned;  // The cursor's bytes may lie anywhere in a block; a view needs alignment.
  Cursor cursor =
      view.Scan({Family::kRouter, DocumentKey(space, range.first), DocumentKey(space, range.end)});
  for (; cursor.Valid(); cursor.Next()) {
    const std::string_view key = cursor.key();
    if (key.size() != kSegmentRowKeyBytes) return Corruption("router record: bad key; run verify");
    const SegmentKey segment{space, BigEndian64(key.substr(4)), BigEndian32(key.substr(12))};
    aligned.assign(cursor.value());
    const auto checked = CheckSegment(aligned, SegmentKind::kRouter, segment, 0);
    if (!checked.ok()) {
      Report(Named("router record", space, segment.document) + ": " + checked.status().message());
      ++summary.misses;
      continue;
    }
    ++summary.rows;
    if (!visit(*checked)) return summary;
  }
  KVASIR_RETURN_IF_ERROR(cursor.status());
  return summary;
}

Result<std::vector<LexicalHit>> Store::Impl::Search(SpaceId space, std::string_view query,
                                                    std::size_t k, const DocumentSet* allowed,
                                                    LexicalState* state) const {
  DocumentSet present;
  if (allowed == nullptr) {
    KVASIR_ASSIGN_OR_RETURN(present, SelectInMemory(space, {}));
    allowed = &present;
  }
  const LexicalQuery lexical{.space = space,
                             .terms = QueryTerms(query),
                             .key = &identity.hash_key,
                             .k = k,
                             .allowed = allowed};
  // Totals, sequence and postings all come from the view: one state, whatever is being written.
  const ReadView view = engine->View();
  std::string bytes;
  const std::string key = SpaceRowKey(space);
  KVASIR_ASSIGN_OR_RETURN(const bool exists, view.Get(Family::kMeta, key, &bytes));
  if (!exists) return NotFound("there is no such space");
  KVASIR_ASSIGN_OR_RETURN(const SpaceRow totals, DecodeSpaceRow(bytes, key));
  KVASIR_ASSIGN_OR_RETURN(const bool has_row, view.Get(Family::kMeta, kStoreRowKey, &bytes));
  if (!has_row) return Corruption("the store row is missing");
  KVASIR_ASSIGN_OR_RETURN(const StoreRow store_row, DecodeStoreRow(bytes));
  if (state != nullptr) state->next_generation = store_row.next_generation;
  KVASIR_ASSIGN_OR_RETURN(
      auto hits, SearchBm25(view, totals, store_row.sequence, lexical, &posting_cache, state));
  for (LexicalHit& hit : hits) {
    KVASIR_ASSIGN_OR_RETURN(const auto head, LoadHead(view, space, hit.document));
    if (head) hit.generation = head->generation;
  }
  return hits;
}

}  // namespace kvasir::storage
