#include "http/mcp/line_server.h"

#include <array>
#include <exception>
#include <thread>
#include <utility>

namespace kvasir::http::mcp {
namespace {

/// A few quick calls may pass a slow one; the model itself uses every core.
constexpr std::size_t kWorkers = 4;
/// A client that sends more without reading is told so.
constexpr std::size_t kWaiting = 256;

bool IsBlank(const std::string& text) {
  return text.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

LineServer::LineServer(const Protocol& protocol, Next next, Write write)
    : protocol_(protocol), next_(std::move(next)), write_(std::move(write)), queue_(kWaiting) {}

void LineServer::Run(const std::stop_token& stop) {
  std::array<std::jthread, kWorkers> workers;
  for (std::jthread& worker : workers) worker = std::jthread([this] { Work(); });
  const std::stop_callback cancel_all(stop, [this] {
    std::lock_guard lock(jobs_mutex_);
    for (const auto& [id, job] : jobs_) job->stop.request_stop();
  });
  while (!stop.stop_requested()) {
    const auto line = next_();
    if (!line) break;
    Take(*line, stop);
  }
  queue_.Close();
}

void LineServer::Take(const Line& line, const std::stop_token& stop) {
  if (line.too_long) {
    return Send(ErrorReply(nullptr, {ErrorCode::kInvalidRequest, "the line is too long"}));
  }
  if (IsBlank(line.text)) return;
  const auto json = ParseJson(line.text);
  if (!json.ok()) {
    return Send(ErrorReply(nullptr, {ErrorCode::kParseError, json.status().message()}));
  }
  auto message = ReadMessage(*json);
  if (const auto* error = std::get_if<Error>(&message)) {
    const Json id = json->is_object() ? json->value("id", Json()) : Json();
    return Send(ErrorReply(id.is_string() || id.is_number_integer() ? id : Json(), *error));
  }
  auto& read = std::get<Message>(message);
  // Nothing is ever asked of the client, so an answer of its is a stray.
  if (read.kind == MessageKind::kResponse) return;
  if (read.kind == MessageKind::kNotification) {
    if (read.method == "notifications/cancelled") Cancel(read.params);
    return;
  }
  if (read.method != "initialize") return TakeRequest(std::move(read));
  // What it settles holds for the lines after it.
  const Json reply = protocol_.Answer(read, {.agreed = {}, .stop = stop, .notify = {}});
  if (const auto settled = SettledBy(reply)) agreed_ = settled;
  Send(reply);
}

void LineServer::TakeRequest(Message request) {
  const Json id = request.id;
  auto job = std::make_shared<Job>();
  job->request = std::move(request);
  job->agreed = agreed_;
  {
    std::lock_guard lock(jobs_mutex_);
    if (jobs_.contains(id)) {
      return Send(ErrorReply(
          id, {ErrorCode::kInvalidRequest, "a request with this id is not answered yet"}));
    }
    jobs_.emplace(id, job);
  }
  if (queue_.TryPush(job)) return;
  {
    std::lock_guard lock(jobs_mutex_);
    jobs_.erase(id);
  }
  Send(ErrorReply(id, {ErrorCode::kInternalError, "unavailable: too many requests at once"}));
}

void LineServer::Cancel(const Json& params) {
  const Json id = params.value("requestId", Json());
  std::lock_guard lock(jobs_mutex_);
  const auto found = jobs_.find(id);
  if (found != jobs_.end()) found->second->stop.request_stop();
}

void LineServer::Work() {
  while (const auto job = queue_.Pop()) Do(*job);
}

void LineServer::Do(Job& job) {
  const Json id = job.request.id;
  Json reply;
  if (!job.stop.stop_requested()) {
    const auto notify = [this, stop = job.stop.get_token()](const Json& notification) {
      if (!stop.stop_requested()) Send(notification);
    };
    try {
      reply = protocol_.Answer(
          job.request, {.agreed = job.agreed, .stop = job.stop.get_token(), .notify = notify});
    } catch (const std::exception&) {  // Out of memory: this call's trouble, not the others'.
      reply = ErrorReply(id, {ErrorCode::kInternalError, "internal: kvasir failed"});
    }
  }
  {
    std::lock_guard lock(jobs_mutex_);
    jobs_.erase(id);
  }
  // Who cancelled wants no answer.
  if (!job.stop.stop_requested()) Send(reply);
}

void LineServer::Send(const Json& message) {
  const std::string line = DumpJson(message) + "\n";
  std::lock_guard lock(write_mutex_);
  write_(line);
}

}  // namespace kvasir::http::mcp
