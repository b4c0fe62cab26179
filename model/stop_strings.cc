#include "model/stop_strings.h"

#include <algorithm>
#include <utility>

namespace kvasir::model {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

std::string StopStrings::Push(std::string_view piece) {
  if (stopped_) return {};
  held_ += piece;
  std::size_t met = std::string::npos;
  for (const std::string& stop : stops_) met = std::min(met, held_.find(stop));
  if (met != std::string::npos) {
    stopped_ = true;
    std::string out = held_.substr(0, met);
    held_.clear();
    return out;
  }
  // Keep the longest end of the text that begins some stop string.
  std::size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
      if (std::string_view(held_).substr(held_.size() - n) == std::string_view(stop).substr(0, n)) {
        keep = n;
      }
    }
  }
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, out.size());
  return out;
}

std::string StopStrings::Finish() { return std::exchange(held_, {}); }

}  // namespace kvasir::model
