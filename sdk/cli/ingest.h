// Memories on their way into a store: batched, counted, reported, stoppable.
#ifndef SDK_CLI_INGEST_H_
#define SDK_CLI_INGEST_H_

#include <chrono>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "kvasir/memory.h"
#include "sdk/cli/json.h"
#include "sdk/cli/output.h"
#include "sdk/cli/progress.h"

namespace kvasir::cli {

/// Feeds Memory::RememberBatch. One text that fails is reported and the others go on; a store that
/// takes nothing more (full, cancelled) ends it. Thread-compatible.
class Ingest {
 public:
  /// `total_bytes` 0: unknown.
  Ingest(Memory* memory, Output* output, std::stop_token stop, std::uint64_t total_bytes);

  /// Queues one memory; `where` names it in errors, `bytes` is its share of the progress. Fails
  /// when the batch that became full could not go on.
  Status Add(RememberRequest request, std::string where, std::uint64_t bytes);
  /// Each line of `stream` is a row; `name` is its file's.
  Status AddJsonLines(std::istream* stream, const std::string& name,
                      const RememberRequest& defaults);
  /// Counts one text that cannot be remembered.
  void Fail(const Status& why);

  /// Sends what is queued, prints the summary; the Status of the first text that failed, if any.
  Status Finish();

  /// The summary goes where notes go: the memories are not what the command is about.
  void set_summary_is_note() { summary_is_note_ = true; }

  std::uint64_t memories() const { return created_ + updated_ + unchanged_; }

 private:
  Status Flush();
  void Take(const RememberReceipt& receipt);
  void PrintSummary();

  Memory* memory_;
  Output* output_;
  std::stop_token stop_;
  ProgressBar bar_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  std::vector<RememberRequest> queue_;
  std::vector<std::string> queued_from_;
  std::uint64_t queued_bytes_ = 0;
  std::uint64_t total_bytes_;
  std::uint64_t done_bytes_ = 0;

  bool summary_is_note_ = false;
  std::uint64_t created_ = 0;
  std::uint64_t updated_ = 0;
  std::uint64_t unchanged_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t left_out_ = 0;
  Json results_ = Json::array();
  Status first_failure_;
  Status ended_;  ///< Why nothing further can be tried.
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_INGEST_H_
