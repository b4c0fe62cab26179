// What the server counts, and how Prometheus reads it.
#ifndef HTTP_METRICS_H_
#define HTTP_METRICS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "kvasir/requests.h"

namespace kvasir::http {

/// Thread-safe; a count costs one uncontended lock.
class Metrics {
 public:
  /// `queued` says how many requests wait; may be empty.
  explicit Metrics(std::function<std::size_t()> queued = {}) : queued_(std::move(queued)) {}

  void Begin();
  /// `route` is the pattern, never the path: ids must not become labels.
  void End(std::string_view method, std::string_view route, int status,
           std::chrono::microseconds took);
  void Refuse(std::string_view code);

  /// Text format 0.0.4.
  std::string ToPrometheus() const;

 private:
  /// Seconds; from a read in memory to a long answer on a slow machine.
  static constexpr std::array<double, 14> kBounds = {.001, .0025, .005, .01, .025, .05, .1,
                                                     .25,  .5,    1,    2.5, 5,    10,  60};
  struct Histogram {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double sum_s = 0;
  };

  const std::function<std::size_t()> queued_;
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, std::uint64_t, std::less<>> requests_;
  std::map<std::string, Histogram, std::less<>> durations_;
  std::map<std::string, std::uint64_t, std::less<>> refused_;
  std::uint64_t in_flight_ = 0;
};

/// The store's own figures, to be appended.
std::string StoreToPrometheus(const Stats& stats);

}  // namespace kvasir::http

#endif  // HTTP_METRICS_H_
