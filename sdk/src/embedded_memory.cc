#include "sdk/src/embedded_memory.h"

#include <charconv>
#include <utility>

#include "agent/ask.h"
#include "agent/forget.h"
#include "agent/recall.h"
#include "agent/reencode.h"
#include "agent/remember.h"
#include "model/fingerprint.h"
#include "sdk/src/guard.h"
#include "sdk/src/paths.h"

namespace kvasir::sdk {
namespace {

constexpr std::uint32_t kMostListed = 1000;

// A cursor is the number of the next memory, in hexadecimal behind a letter.
std::string CursorOf(storage::DocumentNumber number) {
  char text[17] = {'c'};
  const auto end = std::to_chars(text + 1, text + sizeof(text), number, 16).ptr;
  return {text, end};
}

Result<storage::DocumentNumber> ParseCursor(std::string_view cursor) {
  storage::DocumentNumber number = 0;
  if (cursor.empty()) return number;
  const char* end = cursor.data() + cursor.size();
  const auto parsed = std::from_chars(cursor.data() + 1, end, number, 16);
  if (cursor[0] != 'c' || parsed.ec != std::errc() || parsed.ptr != end) {
    return InvalidArgument("cursor: not one that list gave out");
  }
  return number;
}

CacheUse UseOf(const compute::PageCacheStats& stats) {
  return {.budget_bytes = stats.budget_bytes,
          .used_bytes = stats.used_bytes,
          .hits = stats.hits,
          .misses = stats.misses,
          .evictions = stats.evictions,
          .prefetches = stats.prefetches,
          .prefetches_used = stats.prefetches_used,
          .prefetches_wasted = stats.prefetches_wasted};
}

}  // namespace

Result<RememberReceipt> EmbeddedMemory::Remember(const RememberRequest& request,
                                                 const CallOptions& options) {
  return Guarded([&]() -> Result<RememberReceipt> {
    return std::move(agent::RememberBatch(*bank_, {&request, 1}, options).front());
  });
}

std::vector<Result<RememberReceipt>> EmbeddedMemory::RememberBatch(
    std::span<const RememberRequest> requests, const CallOptions& options) {
  using Receipts = std::vector<Result<RememberReceipt>>;
  Result<Receipts> receipts = Guarded(
      [&]() -> Result<Receipts> { return agent::RememberBatch(*bank_, requests, options); });
  if (receipts.ok()) return *std::move(receipts);
  return Receipts(requests.size(), Result<RememberReceipt>(receipts.status()));
}

Result<RecallResult> EmbeddedMemory::Recall(const RecallRequest& request,
                                            const CallOptions& options) {
  return Guarded([&] { return agent::Recall(*bank_, request, options); });
}

Result<AskResult> EmbeddedMemory::Ask(const AskRequest& request, const CallOptions& options) {
  return Guarded([&] { return agent::Ask(*bank_, request, options); });
}

Result<ForgetReceipt> EmbeddedMemory::Forget(const ForgetRequest& request,
                                             const CallOptions& options) {
  return Guarded([&] { return agent::Forget(*bank_, request, options); });
}

Result<ForgetReceipt> EmbeddedMemory::Compact(const CallOptions& options) {
  return Guarded([&] { return agent::Compact(*bank_, options); });
}

Result<MemoryRecord> EmbeddedMemory::Get(const std::string& id, const std::string& space) {
  return Guarded([&]() -> Result<MemoryRecord> {
    KVASIR_ASSIGN_OR_RETURN(const auto found, bank_->store().FindSpace(space));
    KVASIR_ASSIGN_OR_RETURN(storage::Document document, bank_->store().Get(found, id));
    return std::move(document.record);
  });
}

Result<RememberReceipt> EmbeddedMemory::Update(const UpdateRequest& request,
                                               const CallOptions& options) {
  return Guarded([&] { return agent::Update(*bank_, request, options); });
}

Result<std::vector<MemoryRecord>> EmbeddedMemory::History(const std::string& id,
                                                          const std::string& space) {
  return Guarded([&]() -> Result<std::vector<MemoryRecord>> {
    KVASIR_ASSIGN_OR_RETURN(const auto found, bank_->store().FindSpace(space));
    KVASIR_ASSIGN_OR_RETURN(auto documents, bank_->store().History(found, id));
    std::vector<MemoryRecord> records;
    records.reserve(documents.size());
    for (storage::Document& document : documents) records.push_back(std::move(document.record));
    return records;
  });
}

Result<ListPage> EmbeddedMemory::List(const ListRequest& request) {
  return Guarded([&]() -> Result<ListPage> {
    if (request.limit < 1 || request.limit > kMostListed) {
      return InvalidArgument("limit: must be 1 to 1000, is " + std::to_string(request.limit));
    }
    storage::ListQuery query;
    query.selection.session = request.session;
    query.selection.filter = request.filter;
    query.limit = request.limit;
    query.with_text = request.with_text;
    KVASIR_ASSIGN_OR_RETURN(query.from, ParseCursor(request.cursor));
    KVASIR_ASSIGN_OR_RETURN(const auto space, bank_->store().FindSpace(request.space));
    KVASIR_ASSIGN_OR_RETURN(storage::ListResult listed, bank_->store().List(space, query));
    ListPage page;
    for (storage::Document& document : listed.documents) {
      page.memories.push_back(std::move(document.record));
    }
    if (listed.next) page.next_cursor = CursorOf(*listed.next);
    return page;
  });
}

Result<std::vector<SessionInfo>> EmbeddedMemory::Sessions(const std::string& space) {
  return Guarded([&]() -> Result<std::vector<SessionInfo>> {
    KVASIR_ASSIGN_OR_RETURN(const auto found, bank_->store().FindSpace(space));
    return bank_->store().Sessions(found);
  });
}

Result<Stats> EmbeddedMemory::GetStats() {
  return Guarded([&]() -> Result<Stats> {
    KVASIR_ASSIGN_OR_RETURN(const storage::StoreStats stored, bank_->store().GetStats());
    Stats stats;
    stats.spaces = bank_->store().Spaces();
    stats.disk_bytes = stored.disk_bytes;
    stats.commits = stored.commits;
    if (bank_->router_index() != nullptr) {
      stats.index_bytes = bank_->router_index()->Bytes();
      stats.router_cache = UseOf(bank_->router_index()->KeyCache());
    }
    if (const auto model = bank_->store().model()) {
      stats.model = model->name;
      stats.fingerprint = model::ToHex(model->fingerprint);
    }
    stats.backend = backend_;
    const agent::WorkMeter& work = bank_->work();
    stats.encode = work.Of(agent::WorkKind::kEncode);
    stats.route = work.Of(agent::WorkKind::kRoute);
    stats.prefill = work.Of(agent::WorkKind::kPrefill);
    stats.decode = work.Of(agent::WorkKind::kDecode);
    if (bank_->kv_pages() != nullptr) stats.kv_cache = UseOf(bank_->kv_pages()->Stats());
    return stats;
  });
}

Result<VerifyReport> EmbeddedMemory::Verify(const CallOptions& options) {
  return Guarded([&] { return bank_->store().Verify(options); });
}

Status EmbeddedMemory::Backup(const std::string& folder, const CallOptions& options) {
  return Guarded([&]() -> Status {
    KVASIR_ASSIGN_OR_RETURN(const std::string path, ExpandHome(folder));
    return bank_->store().Backup(path, options);
  });
}

Result<std::uint64_t> EmbeddedMemory::Reencode(const CallOptions& options) {
  return Guarded([&] { return agent::Reencode(*bank_, options); });
}

}  // namespace kvasir::sdk
