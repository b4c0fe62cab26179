// Many clients at once from one thread, and how long well-behaved ones wait.
#ifndef TESTS_HTTP_FLOOD_H_
#define TESTS_HTTP_FLOOD_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace kvasir::http_test {

struct FloodResult {
  std::size_t served = 0;       ///< 200 with the body that was expected.
  std::size_t turned_away = 0;  ///< 503 with Retry-After.
  std::size_t wrong = 0;        ///< Anything else.
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p99{0};
};

/// `total` requests over `clients` connections that are open at the same time. Each sends
/// `request` and expects `marker` in the body.
FloodResult Flood(int port, std::size_t clients, std::size_t total, const std::string& request,
                  const std::string& marker);

/// One client, one request after the other: `total` to each of two servers, by turns, so that both
/// meet the same machine. The results of the one and of the other.
std::pair<FloodResult, FloodResult> CalmByTurns(int port, int other_port, std::size_t total);

}  // namespace kvasir::http_test

#endif  // TESTS_HTTP_FLOOD_H_
