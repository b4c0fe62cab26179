// How much the model has worked, by kind, for statistics.
#ifndef KVASIR_AGENT_WORK_METER_H_
#define KVASIR_AGENT_WORK_METER_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "kvasir/requests.h"

namespace kvasir::agent {

enum class WorkKind : std::uint8_t { kEncode, kRoute, kPrefill, kDecode };

/// Counts of all threads. Thread-safe; each count is right, together they are of no one moment.
class WorkMeter {
 public:
  void Add(WorkKind kind, std::uint64_t tokens, std::chrono::nanoseconds took) {
    Counts& counts = counts_[static_cast<std::size_t>(kind)];
    counts.calls.fetch_add(1, std::memory_order_relaxed);
    counts.tokens.fetch_add(tokens, std::memory_order_relaxed);
    counts.nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()),
                                 std::memory_order_relaxed);
  }
  Work Of(WorkKind kind) const {
    const Counts& counts = counts_[static_cast<std::size_t>(kind)];
    return {.calls = counts.calls.load(std::memory_order_relaxed),
            .tokens = counts.tokens.load(std::memory_order_relaxed),
            .took = std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::nanoseconds(counts.nanoseconds.load(std::memory_order_relaxed)))};
  }

 private:
  struct Counts {
    std::atomic<std::uint64_t> calls = 0;
    std::atomic<std::uint64_t> tokens = 0;
    std::atomic<std::uint64_t> nanoseconds = 0;
  };
  std::array<Counts, 4> counts_;
};

/// Adds the time from here to the end of its scope, however that is left.
class Stopwatch {
 public:
  Stopwatch(WorkMeter& meter, WorkKind kind, std::uint64_t tokens = 0)
      : meter_(meter), kind_(kind), tokens_(tokens) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { meter_.Add(kind_, tokens_, std::chrono::steady_clock::now() - start_); }

  void AddTokens(std::uint64_t tokens) { tokens_ += tokens; }

 private:
  WorkMeter& meter_;
  const WorkKind kind_;
  std::uint64_t tokens_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_WORK_METER_H_
