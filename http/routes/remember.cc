// POST /v1/memories and POST /v1/memories:batch.
#include <string>
#include <utility>
#include <vector>

#include "http/fields.h"
#include "http/metrics.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

/// Results are kept until the last line was read (a client that sends first and reads later must
/// not block us), so their number is bounded: about 2 MB.
constexpr std::size_t kMaxBatchLines = 10'000;
constexpr std::size_t kMaxLineBytes = 8 * 1024 * 1024;
/// Lines given to the model together: enough to fill its batches, little enough to be held.
constexpr std::size_t kGroupLines = 32;
constexpr std::size_t kGroupBytes = 1024 * 1024;

Result<RememberRequest> ReadRemember(const Call& call, const Json& body) {
  RememberRequest request;
  std::string space;
  Fields fields(body);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  request.provenance.channel = "rest";
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  return request;
}

/// Cuts a body into lines as it comes in; a line over the bound is dropped and said so.
class LineReader {
 public:
  explicit LineReader(BodyReader& body) : body_(body) {}

  struct Line {
    std::string text;
    bool too_long = false;
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

/// The lines of one batch, remembered in groups, answered in order.
class Batch {
 public:
  explicit Batch(Call& call) : call_(call) {}

  void Add(const LineReader::Line& line) {
    if (line.too_long) return Refuse(InvalidArgument("the line is over 8 MB"));
    auto json = ParseJson(line.text);
    if (!json.ok()) return Refuse(json.status());
    auto request = ReadRemember(call_, *json);
    if (!request.ok()) return Refuse(request.status());
    waiting_.push_back({results_.size(), line.text.size()});
    requests_.push_back(*std::move(request));
    results_.emplace_back();
    bytes_ += line.text.size();
    if (requests_.size() >= kGroupLines || bytes_ >= kGroupBytes) Commit();
  }

  void Refuse(const Status& status) { results_.push_back(Line(results_.size(), status)); }

  void Commit() {
    if (requests_.empty()) return;
    const auto receipts =
        call_.memory->RememberBatch(requests_, {.progress = {}, .stop = call_.request.gone});
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const std::size_t at = waiting_[i].first;
      if (i >= receipts.size()) {
        results_[at] = Line(at, Cancelled("the batch was stopped before this line"));
      } else if (!receipts[i].ok()) {
        results_[at] = Line(at, receipts[i].status());
      } else {
        call_.metrics.AddTokens(TokenKind::kRemembered, receipts[i]->tokens);
        Json json = ToJson(*receipts[i]);
        json["line"] = at + 1;
        results_[at] = DumpJson(json) + "\n";
      }
    }
    waiting_.clear();
    requests_.clear();
    bytes_ = 0;
  }

  std::size_t lines() const { return results_.size(); }

  std::string Take() {
    Commit();
    std::string all;
    for (const std::string& line : results_) all += line;
    return all;
  }

 private:
  static std::string Line(std::size_t at, const Status& status) {
    const Problem problem = ProblemOf(status);
    const Json error = {{"code", problem.code},
                        {"detail", problem.detail},
                        {"status", problem.status},
                        {"retryable", problem.retryable}};
    return DumpJson({{"line", at + 1}, {"error", error}}) + "\n";
  }

  Call& call_;
  std::vector<std::string> results_;
  std::vector<std::pair<std::size_t, std::size_t>> waiting_;  // Index of the result, bytes.
  std::vector<RememberRequest> requests_;
  std::size_t bytes_ = 0;
};

}  // namespace

Answer PostMemory(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const RememberRequest request, ReadRemember(call, call.body));
  KVASIR_ASSIGN_OR_RETURN(const RememberReceipt receipt, call.memory->Remember(request));
  call.metrics.AddTokens(TokenKind::kRemembered, receipt.tokens);
  const bool created = receipt.outcome == RememberOutcome::kCreated;
  Response response = JsonResponse(ToJson(receipt), created ? 201 : 200);
  response.headers.push_back({"ETag", "\"" + receipt.content_hash + "\""});
  return response;
}

Answer PostMemoryBatch(Call& call) {
  LineReader reader(*call.request.body);
  Batch batch(call);
  while (true) {
    auto line = reader.Next();
    if (!line.ok()) {
      // What was committed stays; the client is told how far it came, if it still listens.
      batch.Refuse(line.status());
      break;
    }
    if (!line->has_value()) break;
    if ((*line)->text.find_first_not_of(" \t\r") == std::string::npos && !(*line)->too_long) {
      continue;
    }
    if (batch.lines() == kMaxBatchLines) {
      batch.Refuse(InvalidArgument("a batch has at most " + std::to_string(kMaxBatchLines) +
                                   " lines; send this one and what follows in another"));
      break;
    }
    batch.Add(**line);
    if (call.request.gone.stop_requested()) break;
  }
  Response response;
  response.content_type = "application/x-ndjson";
  response.body = batch.Take();
  return response;
}

}  // namespace kvasir::http
