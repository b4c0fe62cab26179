#include "http/tasks.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

#include "http/batch.h"
#include "http/random.h"
#include "kvasir/filter.h"

namespace kvasir::http {
namespace {

constexpr std::size_t kIdBytes = 16;

Timestamp Now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// A body that is here already.
class StringReader final : public BodyReader {
 public:
  explicit StringReader(const std::string& bytes) : rest_(bytes) {}
  std::uint64_t remaining() const override { return rest_.size(); }
  Result<std::size_t> Read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::memcpy(into.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

}  // namespace

Result<Tasks::Place> Tasks::Reserve(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > bounds_.bytes) {
    return InvalidArgument("a batch that is not waited for has at most " +
                           std::to_string(bounds_.bytes) + " bytes");
  }
  if (stopped_) return Unavailable("the server is stopping");
  if (bytes_ + bytes > bounds_.bytes) {
    return Unavailable("too many batches wait to be worked on");
  }
  bytes_ += bytes;
  return Place(this, [bytes](void* self) {
    auto* tasks = static_cast<Tasks*>(self);
    const std::lock_guard give_back(tasks->mutex_);
    tasks->bytes_ -= bytes;
  });
}

std::string Tasks::Add(Place place, Memory& memory, const Principal& principal,
                       std::string idempotency_key, std::string lines) {
  auto task = std::make_shared<Task>();
  task->id = RandomHex(kIdBytes);
  task->principal = principal;
  task->created_at = Now();
  task->place = std::move(place);
  task->memory = &memory;
  task->idempotency_key = std::move(idempotency_key);
  task->body = std::move(lines);
  const std::lock_guard lock(mutex_);
  tasks_.push_back(task);
  if (!worker_.joinable() && !stopped_) {
    worker_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }
  added_.notify_one();
  return task->id;
}

Result<std::shared_ptr<const Tasks::Task>> Tasks::Owned(const Principal& principal,
                                                        const std::string& id) const {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& task) {
    return task->id == id && (principal.every_space() || principal.space == task->principal.space);
  });
  if (found == tasks_.end()) return NotFound("there is no task \"" + id + "\"");
  return std::shared_ptr<const Task>(*found);
}

Result<Json> Tasks::Find(const Principal& principal, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  KVASIR_ASSIGN_OR_RETURN(const auto task, Owned(principal, id));
  constexpr const char* kNames[] = {"waiting", "running", "done", "stopped"};
  return Json{{"id", task->id},
              {"state", kNames[static_cast<int>(task->state)]},
              {"lines", task->lines},
              {"failed", task->failed},
              {"created_at", FormatTimestamp(task->created_at)},
              {"ended_at", task->ended() ? Json(FormatTimestamp(task->ended_at)) : Json()}};
}

Result<std::string> Tasks::Results(const Principal& principal, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  KVASIR_ASSIGN_OR_RETURN(const auto task, Owned(principal, id));
  if (!task->ended()) return Conflict("the task has not ended; ask for its state until it has");
  return task->results;
}

void Tasks::Stop() {
  std::jthread worker;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    worker_.request_stop();
    worker = std::move(worker_);  // Its end waits for the thread, which may need the lock.
  }
}

void Tasks::Work(const std::stop_token& stop) {
  const auto next = [this] {
    return std::find_if(tasks_.begin(), tasks_.end(),
                        [](const auto& task) { return task->state == State::kWaiting; });
  };
  while (true) {
    std::shared_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      if (!added_.wait(lock, stop, [&] { return next() != tasks_.end(); })) return;
      if (stop.stop_requested()) return;
      task = *next();
      task->state = State::kRunning;
    }
    Run(*task, stop);
  }
}

void Tasks::Run(Task& task, const std::stop_token& stop) {
  const BatchContext context{.memory = *task.memory,
                             .principal = task.principal,
                             .idempotency_key = task.idempotency_key,
                             .stop = stop,
                             .progress = [&](std::size_t lines, std::size_t failed) {
                               const std::lock_guard lock(mutex_);
                               task.lines = lines;
                               task.failed = failed;
                             }};
  StringReader body(task.body);
  std::string results = RememberLines(context, body);
  Place place;  // Given back when the lock is.
  const std::lock_guard lock(mutex_);
  task.results = std::move(results);
  task.state = stop.stop_requested() ? State::kStopped : State::kDone;
  task.ended_at = Now();
  task.body = {};
  place = std::move(task.place);
  const auto ended = [](const auto& one) { return one->ended(); };
  while (std::count_if(tasks_.begin(), tasks_.end(), ended) >
         static_cast<std::ptrdiff_t>(bounds_.kept)) {
    tasks_.erase(std::find_if(tasks_.begin(), tasks_.end(), ended));
  }
}

}  // namespace kvasir::http
