#include "sdk/cli/ingest.h"

#include <algorithm>
#include <utility>

#include "sdk/cli/format.h"
#include "sdk/cli/line_reader.h"
#include "sdk/cli/memory_row.h"
#include "sdk/cli/render.h"

namespace kvasir::cli {
namespace {

// A batch is what a kill may lose and what shares the encoder's matrix products: 64 short rows, or
// some seconds of long text.
constexpr std::size_t kBatchMemories = 64;
constexpr std::uint64_t kBatchBytes = 64 << 10;

}  // namespace

Ingest::Ingest(Memory* memory, Output* output, std::stop_token stop, std::uint64_t total_bytes)
    : memory_(memory),
      output_(output),
      stop_(std::move(stop)),
      bar_(*output, "remember", total_bytes, ProgressUnit::kBytes),
      total_bytes_(total_bytes) {}

Status Ingest::Add(RememberRequest request, std::string where, std::uint64_t bytes) {
  queue_.push_back(std::move(request));
  queued_from_.push_back(std::move(where));
  queued_bytes_ += bytes;
  if (queue_.size() < kBatchMemories && queued_bytes_ < kBatchBytes) return Status::Ok();
  return Flush();
}

Status Ingest::AddJsonLines(std::istream* stream, const std::string& name,
                            const RememberRequest& defaults) {
  LineReader reader(stream);
  std::string line;
  for (std::uint64_t before = 0; reader.Next(&line); before = reader.bytes()) {
    const std::string where = Format("{}:{}", name, reader.number());
    if (reader.too_long()) {
      Fail(InvalidArgument(where + ": the line is longer than 8 MiB"));
      continue;
    }
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    auto row = ParseMemoryRow(line, defaults);
    if (!row.ok()) {
      Fail(row.status().WithContext(where));
      continue;
    }
    left_out_ += row->left_out;
    KVASIR_RETURN_IF_ERROR(Add(std::move(row->request), where, reader.bytes() - before));
  }
  return Status::Ok();
}

void Ingest::Fail(const Status& why) {
  bar_.Hide();
  ++failed_;
  // A lone failure is the command's own error line; from the second on each has its line.
  if (failed_ == 1) first_failure_ = why;
  if (failed_ == 2) output_->Warn(Printable(first_failure_.message()));
  if (failed_ >= 2) output_->Warn(Printable(why.message()));
  const Json error = {{"error", ToJson(why)}};
  if (output_->json_lines()) output_->Line(Dump(error));
  if (output_->json()) results_.push_back(error);
}

void Ingest::Take(const RememberReceipt& receipt) {
  created_ += receipt.outcome == RememberOutcome::kCreated ? 1 : 0;
  updated_ += receipt.outcome == RememberOutcome::kUpdated ? 1 : 0;
  unchanged_ += receipt.outcome == RememberOutcome::kUnchanged ? 1 : 0;
  segments_ += receipt.segments;
  tokens_ += receipt.tokens;
  if (output_->json_lines()) output_->Line(Dump(ToJson(receipt)));
  if (output_->json()) results_.push_back(ToJson(receipt));
}

Status Ingest::Flush() {
  if (!ended_.ok() || queue_.empty()) return ended_;
  if (stop_.stop_requested()) return ended_ = Cancelled("interrupted");
  CallOptions options{.progress = {}, .stop = stop_};
  options.progress = [this](const Progress& progress) {
    const double part = progress.total == 0 ? 0
                                            : static_cast<double>(progress.done) /
                                                  static_cast<double>(progress.total);
    bar_.Show(done_bytes_ + static_cast<std::uint64_t>(part * static_cast<double>(queued_bytes_)),
              total_bytes_);
  };
  const auto receipts = memory_->RememberBatch(queue_, options);
  for (std::size_t i = 0; i < receipts.size() && i < queue_.size(); ++i) {
    if (receipts[i].ok()) {
      Take(*receipts[i]);
      continue;
    }
    const Status why = receipts[i].status().WithContext(queued_from_[i]);
    const bool hopeless =
        why.code() == StatusCode::kNoSpace || why.code() == StatusCode::kCancelled ||
        why.code() == StatusCode::kUnavailable || why.code() == StatusCode::kInternal;
    if (hopeless) {  // The others of this batch met the same wall.
      ended_ = why;
      continue;
    }
    Fail(why);
  }
  done_bytes_ += std::exchange(queued_bytes_, 0);
  queue_.clear();
  queued_from_.clear();
  bar_.Show(done_bytes_, total_bytes_);
  return ended_;
}

void Ingest::PrintSummary() {
  bar_.Hide();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
  if (output_->json()) {
    output_->Line(Dump({{"memories", memories()},
                        {"created", created_},
                        {"updated", updated_},
                        {"unchanged", unchanged_},
                        {"failed", failed_},
                        {"segments", segments_},
                        {"tokens", tokens_},
                        {"seconds", took.count()},
                        {"results", std::move(results_)}}));
  } else if (output_->human()) {
    const std::string summary = Format(
        "remembered {} ({} new, {} changed, {} unchanged): {} segments, {} tokens in {:.1f} s",
        memories(), created_, updated_, unchanged_, segments_, tokens_, took.count());
    summary_is_note_ ? output_->Note(summary) : output_->Line(summary);
  }
  if (left_out_ > 0) {
    output_->Note(Format("left out {} fields that metadata cannot hold", left_out_));
  }
}

Status Ingest::Finish() {
  const Status ended = Flush();
  PrintSummary();
  if (ended.code() == StatusCode::kCancelled) {
    return Cancelled(Format(
        "interrupted: {} are remembered and kept; the same command again goes on", memories()));
  }
  KVASIR_RETURN_IF_ERROR(ended);
  if (failed_ == 0) return Status::Ok();
  if (failed_ == 1 && memories() == 0) return first_failure_;
  return {first_failure_.code(), Format("{} of {} could not be remembered, the first: {}", failed_,
                                        failed_ + memories(), first_failure_.message())};
}

}  // namespace kvasir::cli
