// A Memory for the tests of HTTP alone: keeps records in a map, finds by substring, answers with
// the words it was given. Never part of the product.
#ifndef TESTS_HTTP_SCRIPTED_MEMORY_H_
#define TESTS_HTTP_SCRIPTED_MEMORY_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kvasir/memory.h"

namespace kvasir::http_test {

class ScriptedMemory : public Memory {
 public:
  /// Ask sends these as tokens, and after the last one waits until it is stopped.
  void AnswerForEver(bool value) { for_ever_ = value; }
  int stopped_asks() const { return stopped_asks_; }

  Result<RememberReceipt> Remember(const RememberRequest& request,
                                   const CallOptions& options) override;
  std::vector<Result<RememberReceipt>> RememberBatch(std::span<const RememberRequest> requests,
                                                     const CallOptions& options) override;
  Result<RecallResult> Recall(const RecallRequest& request, const CallOptions&) override;
  Result<AskResult> Ask(const AskRequest& request, const CallOptions& options) override;
  Result<ForgetReceipt> Forget(const ForgetRequest& request, const CallOptions&) override;
  Result<ForgetReceipt> Compact(const CallOptions&) override { return ForgetReceipt{}; }
  Result<MemoryRecord> Get(const std::string& id, const std::string& space) override;
  Result<RememberReceipt> Update(const UpdateRequest& request, const CallOptions&) override;
  Result<std::vector<MemoryRecord>> History(const std::string& id,
                                            const std::string& space) override;
  Result<ListPage> List(const ListRequest& request) override;
  Result<std::vector<SessionInfo>> Sessions(const std::string& space) override;
  Result<Stats> GetStats() override;
  Result<VerifyReport> Verify(const CallOptions&) override { return VerifyReport{}; }
  Status Backup(const std::string&, const CallOptions&) override { return Status::Ok(); }
  Result<std::uint64_t> Reencode(const CallOptions&) override { return std::uint64_t{0}; }

 private:
  using Versions = std::vector<MemoryRecord>;
  using Key = std::pair<std::string, std::string>;  // Space, id.

  bool Knows(const std::string& space) const;
  Versions* Find(const std::string& id, const std::string& space);

  /// What an idempotency key was given with, and what that was answered.
  struct Once {
    std::string text;
    RememberReceipt receipt;
  };
  Result<RememberReceipt> Write(const RememberRequest& request);

  std::mutex mutex_;
  std::map<Key, Versions> memories_;
  std::map<Key, Once> once_;
  std::uint64_t next_number_ = 0;
  std::atomic<bool> for_ever_ = false;
  std::atomic<int> stopped_asks_ = 0;
};

}  // namespace kvasir::http_test

#endif  // TESTS_HTTP_SCRIPTED_MEMORY_H_
