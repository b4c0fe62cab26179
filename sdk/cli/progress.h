// A progress bar for long work, drawn only where a person sees it.
#ifndef SDK_CLI_PROGRESS_H_
#define SDK_CLI_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "kvasir/requests.h"
#include "sdk/cli/output.h"

namespace kvasir::cli {

enum class ProgressUnit { kItems, kBytes };

/// "remember 1.2 MB/4.0 MB  30%  85 KB/s  0:33 left"; without a total: done and rate only.
std::string ProgressLine(std::string_view label, std::uint64_t done, std::uint64_t total,
                         std::chrono::duration<double> elapsed, ProgressUnit unit);

/// Draws at most ten times a second on standard error; nothing at all without a terminal. The line
/// is wiped when the bar goes. Thread-compatible.
class ProgressBar {
 public:
  ProgressBar(const Output& output, std::string label, std::uint64_t total, ProgressUnit unit);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(std::uint64_t done) { Show(done, total_); }
  void Show(std::uint64_t done, std::uint64_t total);
  /// Wipes the line, so that another one can be written; the next Show draws it again.
  void Hide();

  /// Call options whose progress draws this bar, with the stage that the library reports as label.
  CallOptions Follow(std::stop_token stop);

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream* person_;
  std::string label_;
  std::uint64_t total_;
  ProgressUnit unit_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
  bool visible_ = false;
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_PROGRESS_H_
