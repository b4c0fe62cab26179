#include "tests/http/scripted_memory.h"

#include <algorithm>
#include <functional>
#include <thread>

namespace kvasir::http_test {
namespace {

std::string HashOf(const MemoryRecord& record) {
  return std::to_string(std::hash<std::string>()(record.title + "\n" + record.text));
}

Status Unknown(const std::string& id) { return NotFound("no memory \"" + id + "\" here"); }

MetadataValue FieldOf(const MemoryRecord& record, const std::string& field) {
  if (field == "user_id") return record.user_id;
  if (field == "agent_id") return record.agent_id;
  if (field == "session") return record.session;
  const auto found = record.metadata.find(field);
  return found == record.metadata.end() ? MetadataValue() : found->second;
}

/// And, Or, Not and Eq are what these tests use.
bool Fits(const MemoryRecord& record, const Filter& filter) {
  const auto fits = [&record](const Filter& child) { return Fits(record, child); };
  switch (filter.op) {
    case Filter::Op::kAnd:
      return std::all_of(filter.children.begin(), filter.children.end(), fits);
    case Filter::Op::kOr:
      return std::any_of(filter.children.begin(), filter.children.end(), fits);
    case Filter::Op::kNot:
      return !fits(filter.children.front());
    default:
      return FieldOf(record, filter.field) == filter.values.front();
  }
}

RememberReceipt ReceiptOf(const MemoryRecord& record, RememberOutcome outcome) {
  RememberReceipt receipt;
  receipt.id = record.id;
  receipt.number = record.number;
  receipt.version = record.version;
  receipt.outcome = outcome;
  receipt.segments = 1;
  receipt.tokens = record.text.size() / 4;
  receipt.content_hash = record.content_hash;
  return receipt;
}

}  // namespace

ScriptedMemory::Versions* ScriptedMemory::Find(const std::string& id, const std::string& space) {
  const auto found = memories_.find({space, id});
  return found == memories_.end() ? nullptr : &found->second;
}

bool ScriptedMemory::Knows(const std::string& space) const {
  return std::any_of(memories_.begin(), memories_.end(),
                     [&space](const auto& entry) { return entry.first.first == space; });
}

Result<RememberReceipt> ScriptedMemory::Remember(const RememberRequest& request,
                                                 const CallOptions& options) {
  if (options.stop.stop_requested()) return Cancelled("stopped");
  std::lock_guard lock(mutex_);
  const Key key{request.space, request.idempotency_key};
  const auto found = once_.find(key);
  if (request.idempotency_key.empty() || found == once_.end()) {
    KVASIR_ASSIGN_OR_RETURN(RememberReceipt receipt, Write(request));
    if (!request.idempotency_key.empty()) once_[key] = {request.text, receipt};
    return receipt;
  }
  if (found->second.text != request.text) return KeyReused("another request had this key");
  RememberReceipt receipt = found->second.receipt;
  receipt.replayed = true;
  return receipt;
}

Result<RememberReceipt> ScriptedMemory::Write(const RememberRequest& request) {
  MemoryRecord record;
  record.number = next_number_++;
  record.id = request.id.empty() ? "m" + std::to_string(record.number) : request.id;
  record.space = request.space;
  record.session = request.session;
  record.user_id = request.user_id;
  record.agent_id = request.agent_id;
  record.title = request.title;
  record.text = request.text;
  record.messages = request.messages;
  for (const Message& message : request.messages) {
    record.text += message.role + ": " + message.content + "\n";
  }
  record.metadata = request.metadata;
  record.provenance = request.provenance;
  record.content_hash = HashOf(record);
  if (record.text.empty()) return InvalidArgument("the text is empty");
  Versions& versions = memories_[{record.space, record.id}];
  if (!versions.empty()) {
    const bool same = versions.back().content_hash == record.content_hash;
    return ReceiptOf(versions.back(),
                     same ? RememberOutcome::kUnchanged : RememberOutcome::kUpdated);
  }
  versions.push_back(record);
  return ReceiptOf(record, RememberOutcome::kCreated);
}

std::vector<Result<RememberReceipt>> ScriptedMemory::RememberBatch(
    std::span<const RememberRequest> requests, const CallOptions& options) {
  std::vector<Result<RememberReceipt>> receipts;
  for (const RememberRequest& request : requests) receipts.push_back(Remember(request, options));
  return receipts;
}

Result<RecallResult> ScriptedMemory::Recall(const RecallRequest& request, const CallOptions&) {
  std::lock_guard lock(mutex_);
  if (!Knows(request.space)) return NotFound("no such space");
  RecallResult result;
  result.complete = request.wait;  // As if it were still loading.
  for (const auto& [key, versions] : memories_) {
    const MemoryRecord& record = versions.back();
    if (key.first != request.space) continue;
    if (request.filter && !Fits(record, *request.filter)) continue;
    ++result.candidates;
    if (record.text.find(request.query) == std::string::npos) continue;
    if (result.hits.size() == request.top_k) continue;
    Hit hit;
    hit.id = record.id;
    hit.number = record.number;
    hit.text = record.text;
    hit.span = {0, record.text.size()};
    hit.score = 1;
    hit.lexical = 3.5;
    hit.provenance = record.provenance;
    if (request.explain) hit.layers.push_back({15, 0.5F, 0});
    result.hits.push_back(std::move(hit));
  }
  return result;
}

Result<AskResult> ScriptedMemory::Ask(const AskRequest& request, const CallOptions& options) {
  AskResult result;
  const auto tell = [&request](const AskEvent& event) {
    if (request.on_event) request.on_event(event);
  };
  tell({AskEventKind::kHop, "", {"m0"}, 1});
  for (const char* word : {"It ", "is ", "the\nTagus."}) {
    tell({AskEventKind::kToken, word, {}, 1});
    result.text += word;
  }
  if (for_ever_) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, options.stop, [] { return false; });
    ++stopped_asks_;
    return Cancelled("stopped");
  }
  tell({AskEventKind::kCitation, "", {"m0"}, 1});
  result.citations.push_back({"m0", 0, "river", {0, 4}, "Tagu"});
  result.hops.push_back({{"m0"}, {0.5}});
  result.prompt_tokens = 11;
  result.new_tokens = 3;
  result.reasoner = "local";
  return result;
}

Result<ForgetReceipt> ScriptedMemory::Forget(const ForgetRequest& request, const CallOptions&) {
  std::lock_guard lock(mutex_);
  if (!Knows(request.space)) return NotFound("no such space");
  ForgetReceipt receipt;
  std::vector<Key> doomed;
  for (const auto& [key, versions] : memories_) {
    const MemoryRecord& record = versions.back();
    if (key.first != request.space) continue;
    const bool named =
        std::find(request.ids.begin(), request.ids.end(), key.second) != request.ids.end();
    if (named || request.whole_space || (request.session && record.session == *request.session) ||
        (request.filter && Fits(record, *request.filter))) {
      doomed.push_back(key);
    }
  }
  if (request.max != 0 && doomed.size() > request.max) {
    return Conflict("more than max would go: " + std::to_string(doomed.size()));
  }
  for (const Key& key : doomed) {
    receipt.ids.push_back(key.second);
    if (!request.dry_run) memories_.erase(key);
  }
  receipt.memories = doomed.size();
  receipt.physical = !request.dry_run;
  return receipt;
}

Result<MemoryRecord> ScriptedMemory::Get(const std::string& id, const std::string& space) {
  std::lock_guard lock(mutex_);
  const Versions* versions = Find(id, space);
  if (versions == nullptr) return Unknown(id);
  return versions->back();
}

Result<RememberReceipt> ScriptedMemory::Update(const UpdateRequest& request, const CallOptions&) {
  std::lock_guard lock(mutex_);
  Versions* versions = Find(request.id, request.space);
  if (versions == nullptr) return Unknown(request.id);
  MemoryRecord record = versions->back();
  if (!request.if_match.empty() && request.if_match != record.content_hash &&
      request.if_match != Etag(record.number, record.version)) {
    return Conflict("it is another version");
  }
  if (request.text) record.text = *request.text;
  if (request.title) record.title = *request.title;
  if (request.metadata) record.metadata = *request.metadata;
  ++record.version;
  record.content_hash = HashOf(record);
  versions->push_back(record);
  return ReceiptOf(record, RememberOutcome::kUpdated);
}

Result<std::vector<MemoryRecord>> ScriptedMemory::History(const std::string& id,
                                                          const std::string& space) {
  std::lock_guard lock(mutex_);
  const Versions* versions = Find(id, space);
  if (versions == nullptr) return Unknown(id);
  return *versions;
}

Result<ListPage> ScriptedMemory::List(const ListRequest& request) {
  std::lock_guard lock(mutex_);
  if (!Knows(request.space)) return NotFound("no such space");
  std::map<std::uint64_t, const MemoryRecord*> sorted;
  for (const auto& [key, versions] : memories_) {
    const MemoryRecord& record = versions.back();
    if (key.first != request.space) continue;
    if (!request.session.empty() && record.session != request.session) continue;
    if (request.filter && !Fits(record, *request.filter)) continue;
    sorted[record.number] = &record;
  }
  ListPage page;
  const std::uint64_t from = request.cursor.empty() ? 0 : std::stoull(request.cursor);
  for (auto at = sorted.lower_bound(from); at != sorted.end(); ++at) {
    if (page.memories.size() == request.limit) {
      page.next_cursor = std::to_string(at->first);
      break;
    }
    page.memories.push_back(*at->second);
    if (!request.with_text) page.memories.back().text.clear();
  }
  return page;
}

Result<std::vector<SessionInfo>> ScriptedMemory::Sessions(const std::string& space) {
  std::lock_guard lock(mutex_);
  if (!Knows(space)) return NotFound("no such space");
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [key, versions] : memories_) {
    if (key.first == space) ++counts[versions.back().session];
  }
  std::vector<SessionInfo> sessions;
  for (const auto& [name, count] : counts) sessions.push_back({name, count, {}});
  return sessions;
}

Result<Stats> ScriptedMemory::GetStats() {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [key, versions] : memories_) ++counts[key.first];
  Stats stats;
  for (const auto& [name, count] : counts) stats.spaces.push_back({name, count, count, 0});
  stats.model = "scripted";
  stats.backend = "none";
  return stats;
}

}  // namespace kvasir::http_test
