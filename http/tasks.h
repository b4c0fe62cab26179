// Batches that go on after their request was answered, one after another, and what came of them.
#ifndef HTTP_TASKS_H_
#define HTTP_TASKS_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "http/json.h"
#include "http/keys.h"
#include "kvasir/memory.h"

namespace kvasir::http {

/// Tasks live in this process: a restart forgets them, but not what they had committed.
/// Thread-safe.
class Tasks {
 public:
  struct Bounds {
    std::size_t bytes = std::size_t{16} << 20;  ///< Of bodies that wait or are worked on.
    std::size_t kept = 8;                       ///< Ended ones, whose results can be read.
  };
  Tasks() : Tasks(Bounds{}) {}
  explicit Tasks(const Bounds& bounds) : bounds_(bounds) {}
  /// Stops what runs at its next group of lines, and waits for that.
  ~Tasks() { Stop(); }

  /// Room for a body, given back when its task has ended, or when nobody made one of it.
  using Place = std::shared_ptr<void>;
  /// kUnavailable when there is none now, kInvalidArgument when there never is.
  Result<Place> Reserve(std::size_t bytes);

  /// The new task's name. `memory` outlives this.
  std::string Add(Place place, Memory& memory, const Principal& principal,
                  std::string idempotency_key, std::string lines);

  /// {"id", "state", "lines", "failed", "created_at", "ended_at"}. kNotFound for one that is
  /// unknown, long ended, or of another space.
  Result<Json> Find(const Principal& principal, const std::string& id) const;
  /// A line of JSON per line of an ended task, see RememberLines. kConflict before its end.
  Result<std::string> Results(const Principal& principal, const std::string& id) const;

  /// From now on nothing is begun; see the destructor.
  void Stop();

 private:
  enum class State : std::uint8_t { kWaiting, kRunning, kDone, kStopped };
  struct Task {
    std::string id;
    State state = State::kWaiting;
    Principal principal;
    Timestamp created_at{};
    Timestamp ended_at{};
    std::size_t lines = 0;
    std::size_t failed = 0;
    std::string results;
    bool ended() const { return state == State::kDone || state == State::kStopped; }
    // What it works on; let go when it has ended.
    Place place;
    Memory* memory = nullptr;
    std::string idempotency_key;
    std::string body;
  };

  Result<std::shared_ptr<const Task>> Owned(const Principal& principal,
                                            const std::string& id) const;
  void Work(const std::stop_token& stop);
  void Run(Task& task, const std::stop_token& stop);

  const Bounds bounds_;
  mutable std::mutex mutex_;
  std::condition_variable_any added_;
  bool stopped_ = false;
  std::size_t bytes_ = 0;
  std::deque<std::shared_ptr<Task>> tasks_;  // Oldest first.
  std::jthread worker_;                      // From the first task on.
};

}  // namespace kvasir::http

#endif  // HTTP_TASKS_H_
