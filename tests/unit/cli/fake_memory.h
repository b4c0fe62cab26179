// A Memory of plain maps that the command line's unit tests talk to.
#ifndef TESTS_UNIT_CLI_FAKE_MEMORY_H_
#define TESTS_UNIT_CLI_FAKE_MEMORY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kvasir/memory.h"

namespace kvasir::cli {

/// What the tests look at after a command has closed its store.
struct FakeStore {
  std::map<std::string, RememberRequest> memories;
  std::vector<ForgetRequest> forgets;
  std::vector<RecallRequest> recalls;
  std::vector<OpenOptions> opens;
  std::size_t batches = 0;
  std::stop_source* stop_after_first_batch = nullptr;
};

/// Recalls every memory whose text holds the query, in order of id.
class FakeMemory : public Memory {
 public:
  explicit FakeMemory(FakeStore* store) : store_(store) {}

  Result<RememberReceipt> Remember(const RememberRequest& request, const CallOptions&) override {
    if (request.text.find("refuse me") != std::string::npos) {
      return InvalidArgument("text: refused");
    }
    RememberReceipt receipt;
    receipt.id = request.id.empty() ? "made" + std::to_string(store_->memories.size()) : request.id;
    const auto old = store_->memories.find(receipt.id);
    if (old != store_->memories.end()) {
      receipt.outcome = old->second.text == request.text ? RememberOutcome::kUnchanged
                                                         : RememberOutcome::kUpdated;
    }
    receipt.segments = 1;
    receipt.tokens = request.text.size();
    store_->memories[receipt.id] = request;
    return receipt;
  }
  std::vector<Result<RememberReceipt>> RememberBatch(std::span<const RememberRequest> requests,
                                                     const CallOptions& options) override {
    std::vector<Result<RememberReceipt>> receipts;
    for (const RememberRequest& request : requests) receipts.push_back(Remember(request, options));
    ++store_->batches;
    if (store_->stop_after_first_batch != nullptr) store_->stop_after_first_batch->request_stop();
    return receipts;
  }
  Result<RecallResult> Recall(const RecallRequest& request, const CallOptions&) override {
    store_->recalls.push_back(request);
    RecallResult result;
    for (const auto& [id, memory] : store_->memories) {
      ++result.candidates;
      if (memory.text.find(request.query) == std::string::npos) continue;
      Hit hit;
      hit.id = id;
      hit.title = memory.title;
      hit.text = memory.text;
      hit.score = 0.5;
      hit.lexical = 2.0;
      result.hits.push_back(hit);
    }
    return result;
  }
  Result<AskResult> Ask(const AskRequest& request, const CallOptions&) override {
    for (const char* piece : {"In ", "Lisbon."}) {
      request.on_event({AskEventKind::kToken, piece, {}, 1});
    }
    AskResult answer;
    answer.text = "In Lisbon.";
    answer.reasoner = "local";
    return answer;
  }
  Result<ForgetReceipt> Forget(const ForgetRequest& request, const CallOptions&) override {
    store_->forgets.push_back(request);
    ForgetReceipt receipt;
    receipt.memories = request.ids.empty() ? store_->memories.size() : request.ids.size();
    receipt.physical = true;
    return receipt;
  }
  Result<ForgetReceipt> Compact(const CallOptions&) override { return ForgetReceipt{}; }
  Result<MemoryRecord> Get(const std::string& id, const std::string&) override {
    const auto found = store_->memories.find(id);
    if (found == store_->memories.end()) return NotFound("no memory '" + id + "'");
    return RecordOf(*found);
  }
  Result<RememberReceipt> Update(const UpdateRequest& request, const CallOptions&) override {
    RememberReceipt receipt;
    receipt.id = request.id;
    receipt.outcome = RememberOutcome::kUpdated;
    return receipt;
  }
  Result<std::vector<MemoryRecord>> History(const std::string& id,
                                            const std::string& space) override {
    KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, Get(id, space));
    return std::vector<MemoryRecord>{record};
  }
  /// Pages of two, so that tests see more than one.
  Result<ListPage> List(const ListRequest& request) override {
    ListPage page;
    auto from =
        request.cursor.empty() ? store_->memories.begin() : store_->memories.find(request.cursor);
    for (; from != store_->memories.end() && page.memories.size() < 2; ++from) {
      page.memories.push_back(RecordOf(*from));
    }
    if (from != store_->memories.end()) page.next_cursor = from->first;
    return page;
  }
  Result<std::vector<SessionInfo>> Sessions(const std::string&) override {
    return std::vector<SessionInfo>{};
  }
  Result<Stats> GetStats() override { return Stats{}; }
  Result<VerifyReport> Verify(const CallOptions&) override { return VerifyReport{}; }
  Status Backup(const std::string&, const CallOptions&) override { return Status::Ok(); }
  Result<std::uint64_t> Reencode(const CallOptions&) override { return std::uint64_t{0}; }

 private:
  static MemoryRecord RecordOf(const std::pair<const std::string, RememberRequest>& entry) {
    MemoryRecord record;
    record.id = entry.first;
    record.title = entry.second.title;
    record.text = entry.second.text;
    record.metadata = entry.second.metadata;
    return record;
  }

  FakeStore* store_;
};

}  // namespace kvasir::cli

#endif  // TESTS_UNIT_CLI_FAKE_MEMORY_H_
