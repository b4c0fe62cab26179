#include "agent/draft.h"

#include <optional>
#include <string_view>
#include <utility>

#include "agent/conversation.h"
#include "agent/request_bytes.h"
#include "agent/segmenter.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

using storage::Document;
using storage::WriteMode;

Status CheckText(std::string_view field, std::string_view text) {
  if (const Status utf8 = model::ValidateUtf8(text); !utf8.ok()) return utf8.WithContext(field);
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return InvalidArgument(std::string(field) + ": a zero byte at offset " + std::to_string(nul));
  }
  return Status::Ok();
}

Status CheckTexts(const MemoryRecord& record) {
  KVASIR_RETURN_IF_ERROR(CheckText("title", record.title));
  for (std::size_t i = 0; i < record.messages.size(); ++i) {
    const std::string field = "messages[" + std::to_string(i) + "]";
    KVASIR_RETURN_IF_ERROR(CheckText(field + ".role", record.messages[i].role));
    KVASIR_RETURN_IF_ERROR(CheckText(field + ".name", record.messages[i].name));
    KVASIR_RETURN_IF_ERROR(CheckText(field + ".content", record.messages[i].content));
  }
  return CheckText("text", record.text);
}

Result<MemoryRecord> RecordOf(const RememberRequest& request, std::vector<std::size_t>* turns) {
  if (!request.text.empty() && !request.messages.empty()) {
    return InvalidArgument("give either text or messages, not both");
  }
  MemoryRecord record;
  record.id = request.id;
  record.space = request.space;
  record.session = request.session;
  record.user_id = request.user_id;
  record.agent_id = request.agent_id;
  record.title = request.title;
  record.text = request.text;
  record.messages = request.messages;
  record.metadata = request.metadata;
  record.provenance = request.provenance;
  record.expires_at = request.expires_at;
  record.valid_from = request.valid_from;
  record.valid_to = request.valid_to;
  if (!request.messages.empty()) {
    Conversation conversation = RenderConversation(request.messages);
    record.text = std::move(conversation.text);
    *turns = std::move(conversation.turns);
  }
  if (record.text.empty()) return InvalidArgument("text: empty; there is nothing to remember");
  if (record.space.empty()) return InvalidArgument("space: empty; leave it out for \"default\"");
  KVASIR_RETURN_IF_ERROR(CheckTexts(record));
  KVASIR_RETURN_IF_ERROR(storage::ValidateRecord(record));
  return record;
}

bool SameText(const MemoryRecord& a, const MemoryRecord& b) {
  return a.title == b.title && a.text == b.text;
}

// Who wrote it is not compared: the same words from another door are still the same memory.
bool SameFields(const MemoryRecord& a, const MemoryRecord& b) {
  return a.session == b.session && a.user_id == b.user_id && a.agent_id == b.agent_id &&
         a.messages == b.messages && a.metadata == b.metadata && a.expires_at == b.expires_at &&
         a.valid_from == b.valid_from && a.valid_to == b.valid_to;
}

RememberReceipt Unchanged(const MemoryRecord& present) {
  return {.id = present.id,
          .number = present.number,
          .version = present.version,
          .outcome = RememberOutcome::kUnchanged,
          .segments = present.segments,
          .tokens = present.tokens,
          .content_hash = present.content_hash};
}

// Frames along the spans that write.segments has.
Status Frame(const Bank& bank, Draft* draft) {
  const MemoryRecord& record = draft->write.record;
  const std::string_view text = record.text;
  for (storage::SegmentWrite& segment : draft->write.segments) {
    const Span span = segment.entry.span;
    auto framed = bank.framing().Segment(draft->number, record.title,
                                         text.substr(span.begin, span.end - span.begin));
    KVASIR_RETURN_IF_ERROR(framed.status());
    segment.entry.tokens = static_cast<std::uint32_t>(framed->size());
    draft->tokens.push_back(*std::move(framed));
  }
  return Status::Ok();
}

Status Split(const Bank& bank, std::span<const std::size_t> turns, Draft* draft) {
  const MemoryRecord& record = draft->write.record;
  KVASIR_ASSIGN_OR_RETURN(const std::int64_t budget,
                          bank.framing().Budget(draft->number, record.title));
  KVASIR_ASSIGN_OR_RETURN(const auto spans,
                          SplitText(bank.framing().tokenizer(), record.text, turns, budget));
  for (const Span& span : spans) draft->write.segments.push_back({{span, 0}, {}, {}});
  return Frame(bank, draft);
}

// A new version of `present` that holds `record`; the segments stay when the text does.
Result<Draft> NewVersion(const Bank& bank, const Document& present, MemoryRecord record,
                         std::span<const std::size_t> turns) {
  Draft draft;
  draft.space = present.space;
  draft.number = present.record.number;
  draft.outcome = RememberOutcome::kUpdated;
  draft.write.mode = WriteMode::kNewVersion;
  draft.write.if_generation = present.generation;
  draft.write.keep_segments = SameText(record, present.record);
  draft.write.record = std::move(record);
  if (!draft.write.keep_segments) KVASIR_RETURN_IF_ERROR(Split(bank, turns, &draft));
  return draft;
}

}  // namespace

std::uint64_t Draft::TokenCount() const {
  std::uint64_t count = 0;
  for (const model::TokenSequence& sequence : tokens) count += sequence.size();
  return count;
}

Result<Draft> DraftRemember(Bank& bank, const RememberRequest& request) {
  std::vector<std::size_t> turns;
  KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, RecordOf(request, &turns));
  KVASIR_ASSIGN_OR_RETURN(const storage::SpaceId space, bank.store().EnsureSpace(request.space));
  std::optional<storage::OnceKey> once;
  if (!request.idempotency_key.empty()) {
    once = storage::OnceKey{.key = request.idempotency_key, .request = RequestBytes(request)};
    KVASIR_ASSIGN_OR_RETURN(auto first, bank.store().FindOnce(space, *once));
    if (first) {
      Draft draft;
      draft.unchanged = std::move(first);
      draft.unchanged->replayed = true;
      return draft;
    }
  }
  if (!record.id.empty()) {
    auto present = bank.store().Get(space, record.id);
    if (present.ok()) {
      if (SameText(record, present->record) && SameFields(record, present->record)) {
        Draft draft;
        draft.unchanged = Unchanged(present->record);
        if (once) {
          KVASIR_RETURN_IF_ERROR(bank.store().KeepOnce(space, *once, *draft.unchanged));
        }
        return draft;
      }
      KVASIR_ASSIGN_OR_RETURN(Draft draft, NewVersion(bank, *present, std::move(record), turns));
      draft.write.once = std::move(once);
      draft.write.outcome = draft.outcome;
      return draft;
    }
    if (present.status().code() != StatusCode::kNotFound) return present.status();
  }
  Draft draft;
  draft.space = space;
  draft.write.mode = WriteMode::kCreate;
  draft.write.record = std::move(record);
  draft.write.once = std::move(once);
  KVASIR_ASSIGN_OR_RETURN(draft.number, bank.store().ReserveNumbers(space, 1));
  draft.write.number = draft.number;
  KVASIR_RETURN_IF_ERROR(Split(bank, turns, &draft));
  return draft;
}

Result<Draft> DraftUpdate(Bank& bank, const UpdateRequest& request) {
  KVASIR_ASSIGN_OR_RETURN(const storage::SpaceId space, bank.store().FindSpace(request.space));
  KVASIR_ASSIGN_OR_RETURN(const Document present, bank.store().Get(space, request.id));
  const std::string etag = Etag(present.record.number, present.record.version);
  if (!request.if_match.empty() && request.if_match != etag &&
      request.if_match != present.record.content_hash) {
    return Conflict("memory " + request.id + " has changed: it is now " + etag +
                    ", with content hash " + present.record.content_hash);
  }
  MemoryRecord record = present.record;
  if (request.text && *request.text != record.text) {
    record.text = *request.text;
    record.messages.clear();  // The text is no longer what was said.
  }
  if (request.title) record.title = *request.title;
  if (request.metadata) record.metadata = *request.metadata;
  if (request.expires_at) record.expires_at = request.expires_at;
  if (request.valid_from) record.valid_from = request.valid_from;
  if (request.valid_to) record.valid_to = request.valid_to;
  if (record.text.empty()) return InvalidArgument("text: empty; to remove a memory, forget it");
  KVASIR_RETURN_IF_ERROR(CheckTexts(record));
  KVASIR_RETURN_IF_ERROR(storage::ValidateRecord(record));
  if (SameText(record, present.record) && SameFields(record, present.record)) {
    Draft draft;
    draft.unchanged = Unchanged(present.record);
    return draft;
  }
  const std::vector<std::size_t> turns = record.messages.empty()
                                             ? std::vector<std::size_t>()
                                             : RenderConversation(record.messages).turns;
  return NewVersion(bank, present, std::move(record), turns);
}

Result<Draft> DraftReencode(Bank& bank, const Document& document) {
  Draft draft;
  draft.space = document.space;
  draft.number = document.record.number;
  draft.outcome = RememberOutcome::kUnchanged;
  draft.write.mode = WriteMode::kReencode;
  draft.write.if_generation = document.generation;
  draft.write.record = document.record;
  for (const storage::SegmentEntry& entry : document.segments) {
    draft.write.segments.push_back({entry, {}, {}});
  }
  KVASIR_RETURN_IF_ERROR(Frame(bank, &draft));
  return draft;
}

}  // namespace kvasir::agent
