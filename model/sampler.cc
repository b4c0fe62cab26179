#include "model/sampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kvasir::model {
namespace {

/// Higher logit first, then lower id: a total order, so that equal logits never depend on the sort.
bool Better(const std::pair<float, std::int32_t>& a, const std::pair<float, std::int32_t>& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

}  // namespace

std::int32_t Sampler::Next(std::span<const float> logits, std::span<const std::int32_t> allowed) {
  assert(!logits.empty());
  candidates_.clear();
  if (allowed.empty()) {
    for (std::size_t id = 0; id < logits.size(); ++id) {
      candidates_.emplace_back(logits[id], static_cast<std::int32_t>(id));
    }
  } else {
    for (const std::int32_t id : allowed) candidates_.emplace_back(logits[id], id);
  }
  if (options_.temperature <= 0) {
    return std::min_element(candidates_.begin(), candidates_.end(), Better)->second;
  }
  return Draw();
}

std::int32_t Sampler::Draw() {
  std::sort(candidates_.begin(), candidates_.end(), Better);
  const double best = candidates_.front().first;
  double total = 0;
  for (auto& [weight, id] : candidates_) {
    weight = static_cast<float>(std::exp((weight - best) / options_.temperature));
    total += weight;
  }
  // The nucleus: the most likely tokens whose mass first reaches top_p.
  double mass = 0;
  std::size_t kept = 0;
  while (kept < candidates_.size() && (kept == 0 || mass < options_.top_p * total)) {
    mass += candidates_[kept++].first;
  }
  double rest = Uniform() * mass;
  for (std::size_t i = 0; i < kept; ++i) {
    rest -= candidates_[i].first;
    if (rest < 0) return candidates_[i].second;
  }
  return candidates_[kept - 1].second;
}

/// SplitMix64 (Steele, Lea, Flood 2014), the upper 53 bits as a number in [0, 1).
double Sampler::Uniform() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

}  // namespace kvasir::model
