// One JSON line per request, without a word of what is remembered.
#ifndef HTTP_ACCESS_LOG_H_
#define HTTP_ACCESS_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "kvasir/types.h"

namespace kvasir::http {

struct AccessEntry {
  std::string_view request_id;
  std::string_view remote;
  std::string_view method;
  std::string_view route;   ///< The pattern: paths and queries may hold what users wrote.
  std::string_view key_id;  ///< Empty: no key.
  int status = 0;
  std::string_view code;   ///< Of the problem; empty when there is none.
  std::string_view error;  ///< Only for failures of the server itself.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::microseconds took{0};
};

/// Thread-safe; lines do not mix.
class AccessLog {
 public:
  /// `write` gets a line with its end; empty: no log.
  explicit AccessLog(std::function<void(std::string_view line)> write) : write_(std::move(write)) {}

  void Write(const AccessEntry& entry);

 private:
  const std::function<void(std::string_view)> write_;
  std::mutex mutex_;
};

}  // namespace kvasir::http

#endif  // HTTP_ACCESS_LOG_H_
