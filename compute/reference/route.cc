#include "compute/reference/route.h"

#include <algorithm>
#include <cmath>

namespace kvasir::compute::reference {
namespace {

double HeadScore(const float* query, const RouteHeads& heads, const float* key) {
  const std::int64_t group = heads.heads / heads.kv_heads;
  double sum = 0;
  double highest = -HUGE_VAL;
  for (std::int64_t h = 0; h < heads.heads; ++h) {
    const float* q = query + h * heads.head_dim;
    const float* k = key + h / group * heads.head_dim;
    double dot = 0;
    for (std::int64_t i = 0; i < heads.head_dim; ++i) dot += double{q[i]} * double{k[i]};
    sum += dot;
    highest = std::max(highest, dot);
  }
  return heads.reduce == HeadReduce::kMax ? highest : sum / static_cast<double>(heads.heads);
}

}  // namespace

double RouteChunk(std::span<const float> queries, const RouteHeads& heads, QueryReduce reduce,
                  std::span<const float> key) {
  const std::int64_t width = heads.heads * heads.head_dim;
  const auto tokens = static_cast<std::int64_t>(queries.size()) / width;
  double sum = 0;
  double highest = -HUGE_VAL;
  double last = 0;
  for (std::int64_t t = 0; t < tokens; ++t) {
    last = HeadScore(queries.data() + t * width, heads, key.data());
    sum += last;
    highest = std::max(highest, last);
  }
  if (reduce == QueryReduce::kLast) return last;
  return reduce == QueryReduce::kMax ? highest : sum / static_cast<double>(tokens);
}

double EstimateSketch(const std::uint8_t* block, float gain, std::int64_t quads,
                      const cpu::SketchQueries& queries, std::int64_t slot) {
  const std::int64_t byte = slot % 16;
  const int shift = slot < 16 ? 0 : 4;
  double highest = -HUGE_VAL;
  for (std::int64_t q = 0; q < queries.count; ++q) {
    std::int64_t codes = 0;
    for (std::int64_t quad = 0; quad < quads; ++quad) {
      const int signs = block[quad * 16 + byte] >> shift & 15;
      codes += queries.tables[(q * quads + quad) * 16 + signs];
    }
    const double dot =
        static_cast<double>(codes) * double{queries.steps[q]} + double{queries.starts[q]};
    highest = std::max(highest, double{queries.bases[q]} + double{gain} * dot);
  }
  return highest;
}

}  // namespace kvasir::compute::reference
