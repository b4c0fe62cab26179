#include "compute/route_entry.h"

#include <algorithm>
#include <limits>
#include <new>

namespace kvasir::compute {

EntryScorer::EntryScorer(const RouteShape& shape, const cpu::Kernels& kernels)
    : shape_(shape), kernels_(kernels) {
  const std::int64_t bytes = cpu::RouteWidth(shape.dim) * cpu::kRouteGroup;
  group_ = AllocateAligned<std::uint8_t>(bytes);
  if (group_ == nullptr) throw std::bad_alloc();
  std::fill_n(group_.get(), bytes, std::uint8_t{0});  // Padding stays 0, as in a page.
}

EntryScorer::~EntryScorer() {
  std::fill_n(group_.get(), cpu::RouteWidth(shape_.dim) * cpu::kRouteGroup, std::uint8_t{0});
}

void EntryScorer::Place(const RouteEntry& entry, std::int64_t layer, std::int64_t first,
                        std::int64_t count) {
  for (std::int64_t slot = 0; slot < count; ++slot) {
    const auto row = static_cast<std::size_t>(layer * entry.chunks + first + slot);
    const std::int8_t* codes = entry.codes.data() + row * static_cast<std::size_t>(shape_.dim);
    for (std::int64_t i = 0; i < shape_.dim; i += cpu::kRouteLine) {
      std::uint8_t* line = group_.get() + i * cpu::kRouteGroup + slot * cpu::kRouteLine;
      const std::int64_t numbers = std::min(cpu::kRouteLine, shape_.dim - i);
      for (std::int64_t j = 0; j < numbers; ++j) {
        line[j] = static_cast<std::uint8_t>(codes[i + j] + 128);
      }
    }
    scales_[static_cast<std::size_t>(slot)] = entry.scales[row];
  }
}

float EntryScorer::Score(const PreparedQuery& query, const RouteEntry& entry,
                         std::uint32_t* best_chunk) {
  const bool mean = query.chunk_reduce == ChunkReduce::kMean;
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  float score = mean ? 0.0F : kNone;
  float highest = kNone;
  for (std::int64_t first = 0; first < entry.chunks; first += cpu::kRouteGroup) {
    const std::int64_t count = std::min(cpu::kRouteGroup, entry.chunks - first);
    Place(entry, query.layer, first, count);
    std::array<float, cpu::kRouteGroup> scores{};
    kernels_.route_int8(group_.get(), scales_.data(), 1, cpu::RouteWidth(shape_.dim), query.codes,
                        scores.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const float chunk = scores[static_cast<std::size_t>(i)];
      score = mean ? score + chunk : std::max(score, chunk);
      if (best_chunk != nullptr && chunk > highest) {
        *best_chunk = static_cast<std::uint32_t>(first + i);
      }
      highest = std::max(highest, chunk);
    }
  }
  return mean ? score / static_cast<float>(entry.chunks) : score;
}

}  // namespace kvasir::compute
