#include "sdk/cli/progress.h"

#include <algorithm>
#include <utility>

#include "sdk/cli/format.h"

namespace kvasir::cli {
namespace {

std::string Amount(double value, ProgressUnit unit) {
  return unit == ProgressUnit::kBytes ? ByteCount(value) : Format("{:.0f}", value);
}

std::string Clock(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return whole >= 3600 ? Format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : Format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string ProgressLine(std::string_view label, std::uint64_t done, std::uint64_t total,
                         std::chrono::duration<double> elapsed, ProgressUnit unit) {
  const auto amount = static_cast<double>(done);
  const double rate = elapsed.count() > 0 ? amount / elapsed.count() : 0;
  const std::string speed =
      unit == ProgressUnit::kBytes || rate >= 10 ? Amount(rate, unit) : Format("{:.1f}", rate);
  if (total == 0) return Format("{} {}  {}/s", label, Amount(amount, unit), speed);
  const auto whole = static_cast<double>(total);
  std::string line = Format("{} {}/{}  {:.0f}%  {}/s", label, Amount(amount, unit),
                            Amount(whole, unit), 100 * std::min(1.0, amount / whole), speed);
  if (done > 0 && done < total) line += Format("  {} left", Clock((whole - amount) / rate));
  return line;
}

ProgressBar::ProgressBar(const Output& output, std::string label, std::uint64_t total,
                         ProgressUnit unit)
    : person_(output.person()), label_(std::move(label)), total_(total), unit_(unit) {}

ProgressBar::~ProgressBar() { Hide(); }

void ProgressBar::Show(std::uint64_t done, std::uint64_t total) {
  constexpr auto kBetween = std::chrono::milliseconds(100);
  const Clock::time_point now = Clock::now();
  if (person_ == nullptr || now - drawn_ < kBetween) return;
  drawn_ = now;
  visible_ = true;
  (*person_ << "\r\033[K" << ProgressLine(label_, done, total, now - start_, unit_)).flush();
}

void ProgressBar::Hide() {
  if (visible_) (*person_ << "\r\033[K").flush();
  visible_ = false;
}

CallOptions ProgressBar::Follow(std::stop_token stop) {
  CallOptions options;
  options.stop = std::move(stop);
  options.progress = [this](const Progress& progress) {
    label_ = progress.stage;
    Show(progress.done, progress.total);
  };
  return options;
}

}  // namespace kvasir::cli
