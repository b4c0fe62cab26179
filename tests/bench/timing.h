// What the benchmarks that measure waiting share.
#ifndef KVASIR_TESTS_BENCH_TIMING_H_
#define KVASIR_TESTS_BENCH_TIMING_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace kvasir::bench {

class Timer {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The value that a share `p` of `values` lies below; not of an empty list.
inline double Percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(p * static_cast<double>(values.size()));
  return values[std::min(values.size() - 1, at)];
}

}  // namespace kvasir::bench

#endif  // KVASIR_TESTS_BENCH_TIMING_H_
