#include "http/batch.h"

#include <optional>
#include <utility>
#include <vector>

#include "http/fields.h"
#include "http/problem.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/space.h"

namespace kvasir::http {
namespace {

/// Results are kept until the last line was read (a client that sends first and reads later must
/// not block us), so their number is bounded: about 2 MB.
constexpr std::size_t kMaxBatchLines = 10'000;
constexpr std::size_t kMaxLineBytes = 8 * 1024 * 1024;
/// Lines given to the model together: enough to fill its batches, little enough to be held.
constexpr std::size_t kGroupLines = 32;
constexpr std::size_t kGroupBytes = 1024 * 1024;
/// The store takes 255; a line's number must fit behind it.
constexpr std::size_t kMaxKeyBytes = 200;

/// Cuts a body into lines as it comes in; a line over the bound is dropped and said so.
class LineReader {
 public:
  explicit LineReader(BodyReader& body) : body_(body) {}

  struct Line {
    std::string text;
    bool too_long = false;
    bool blank() const { return !too_long && text.find_first_not_of(" \t\r") == std::string::npos; }
  };

  /// nullopt after the last line.
  Result<std::optional<Line>> Next() {
    Line line;
    while (true) {
      const auto end = buffer_.find('\n', from_);
      const bool ended = end != std::string::npos;
      const std::size_t stop = ended ? end : buffer_.size();
      if (line.text.size() + (stop - from_) > kMaxLineBytes) line.too_long = true;
      if (!line.too_long) line.text.append(buffer_, from_, stop - from_);
      from_ = ended ? end + 1 : stop;
      if (ended) return std::optional(std::move(line));
      KVASIR_ASSIGN_OR_RETURN(const bool more, Refill());
      if (more) continue;
      if (line.text.empty() && !line.too_long) return std::optional<Line>();
      return std::optional(std::move(line));
    }
  }

 private:
  Result<bool> Refill() {
    buffer_.resize(64 * 1024);
    from_ = 0;
    KVASIR_ASSIGN_OR_RETURN(const std::size_t count, body_.Read(buffer_));
    buffer_.resize(count);
    return count > 0;
  }

  BodyReader& body_;
  std::string buffer_;
  std::size_t from_ = 0;
};

class Batch {
 public:
  explicit Batch(const BatchContext& context) : context_(context) {}

  void Add(const LineReader::Line& line) {
    if (line.too_long) return Refuse(InvalidArgument("the line is over 8 MB"));
    auto json = ParseJson(line.text);
    if (!json.ok()) return Refuse(json.status());
    auto request = ReadRemember(context_.principal, *json);
    if (!request.ok()) return Refuse(request.status());
    if (!context_.idempotency_key.empty()) {
      request->idempotency_key =
          context_.idempotency_key + " line " + std::to_string(results_.size() + 1);
    }
    waiting_.push_back(results_.size());
    requests_.push_back(*std::move(request));
    results_.emplace_back();
    bytes_ += line.text.size();
    if (requests_.size() >= kGroupLines || bytes_ >= kGroupBytes) Commit();
  }

  void Refuse(const Status& status) {
    results_.emplace_back();
    Fail(results_.size() - 1, status);
  }

  std::size_t lines() const { return results_.size(); }

  std::string Take() {
    Commit();
    std::string all;
    for (const std::string& line : results_) all += line;
    return all;
  }

 private:
  void Commit() {
    if (!requests_.empty()) {
      const auto receipts =
          context_.memory.RememberBatch(requests_, {.progress = {}, .stop = context_.stop});
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (i >= receipts.size()) {
          Fail(waiting_[i], Cancelled("the batch was stopped before this line"));
        } else if (!receipts[i].ok()) {
          Fail(waiting_[i], receipts[i].status());
        } else {
          Set(waiting_[i], ToJson(*receipts[i]));
        }
      }
    }
    waiting_.clear();
    requests_.clear();
    bytes_ = 0;
    if (context_.progress) context_.progress(results_.size(), failed_);
  }

  void Fail(std::size_t at, const Status& status) {
    const Problem problem = ProblemOf(status);
    const Json error = {{"code", problem.code},
                        {"detail", problem.detail},
                        {"status", problem.status},
                        {"retryable", problem.retryable}};
    Set(at, {{"error", error}});
    ++failed_;
  }

  void Set(std::size_t at, Json result) {
    result["line"] = at + 1;
    results_[at] = DumpJson(result) + "\n";
  }

  const BatchContext& context_;
  std::vector<std::string> results_;
  std::vector<std::size_t> waiting_;  // Which results requests_ will fill.
  std::vector<RememberRequest> requests_;
  std::size_t bytes_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace

Result<std::string> IdempotencyKey(const RequestHead& head) {
  const auto key = head.Header("idempotency-key");
  if (!key) return std::string();
  if (key->empty() || key->size() > kMaxKeyBytes) {
    return InvalidArgument("Idempotency-Key must be 1 to " + std::to_string(kMaxKeyBytes) +
                           " bytes");
  }
  return std::string(*key);
}

Result<RememberRequest> ReadRemember(const Principal& principal, const Json& body) {
  RememberRequest request;
  std::string space;
  Fields fields(body);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  request.provenance.channel = "rest";
  KVASIR_ASSIGN_OR_RETURN(request.space, SpaceFor(principal, space));
  return request;
}

std::string RememberLines(const BatchContext& context, BodyReader& body) {
  LineReader reader(body);
  Batch batch(context);
  while (!context.stop.stop_requested()) {
    auto line = reader.Next();
    if (!line.ok()) {
      // The client is told how far it came, if it still listens.
      batch.Refuse(line.status());
      break;
    }
    if (!line->has_value()) break;
    if ((*line)->blank()) continue;
    if (batch.lines() == kMaxBatchLines) {
      batch.Refuse(InvalidArgument("a batch has at most " + std::to_string(kMaxBatchLines) +
                                   " lines; send this one and what follows in another"));
      break;
    }
    batch.Add(**line);
  }
  return batch.Take();
}

}  // namespace kvasir::http
