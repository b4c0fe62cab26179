#include "compute/route_query.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kvasir::compute {

std::int64_t QuerySteps(QueryBits bits, std::int64_t dim) {
  // 127 · 128: high · 128 + low with both in a signed byte.
  if (bits == QueryBits::k8) return 127;
  return std::min<std::int64_t>(16256, (std::int64_t{1} << 31) / (128 * dim));
}

float QueryErrorBound(QueryBits bits, std::int64_t dim, float max_abs, float scale,
                      float code_norm1) {
  // A step's half, and the roundings of scale, product and sum in float32.
  constexpr float kRounding = 1.0F / (1 << 22);
  const auto steps = static_cast<float>(QuerySteps(bits, dim));
  return max_abs * scale * code_norm1 * (0.5F / steps + kRounding);
}

void QueryPreparer::Reduce(const RouteQuery& query, std::int64_t dim) {
  const auto n = static_cast<std::size_t>(dim);
  const std::size_t tokens = query.queries.size() / n;
  if (query.query_reduce == QueryReduce::kMax) {
    vectors_.assign(query.queries.begin(), query.queries.end());
  } else if (query.query_reduce == QueryReduce::kLast) {
    vectors_.assign(query.queries.end() - dim, query.queries.end());
  } else {
    vectors_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t t = 0; t < tokens; ++t) sum += double{query.queries[t * n + i]};
      vectors_[i] = static_cast<float>(sum / static_cast<double>(tokens));
    }
  }
}

void QueryPreparer::Quantise(const RouteQuery& query, const RouteShape& shape,
                             const cpu::Kernels& kernels) {
  const auto n = static_cast<std::size_t>(shape.dim);
  const std::size_t count = vectors_.size() / n;
  const auto width = static_cast<std::size_t>(cpu::RouteWidth(shape.dim));
  const auto steps = static_cast<float>(QuerySteps(query.bits, shape.dim));
  plain_.resize(n);
  codes_.resize(count * width);
  offsets_.resize(count);
  scales_.resize(count);
  for (std::size_t q = 0; q < count; ++q) {
    const float* vector = vectors_.data() + q * n;
    float highest = 0;
    for (std::size_t i = 0; i < n; ++i) highest = std::max(highest, std::fabs(vector[i]));
    scales_[q] = highest / steps;
    for (std::size_t i = 0; i < n; ++i) {
      const float code = scales_[q] > 0 ? vector[i] / scales_[q] : 0.0F;
      plain_[i] = static_cast<std::int16_t>(std::lrint(std::clamp(code, -steps, steps)));
    }
    kernels.place_query(plain_.data(), shape.dim, query.bits == QueryBits::k15,
                        codes_.data() + q * width, &offsets_[q]);
  }
}

PreparedQuery QueryPreparer::Prepare(const RouteQuery& query, const RouteShape& shape,
                                     const cpu::Kernels& kernels) {
  Reduce(query, shape.dim);
  PreparedQuery prepared;
  prepared.layer = query.layer;
  prepared.chunk_reduce = query.chunk_reduce;
  prepared.allowed = query.allowed;
  prepared.count = static_cast<std::int64_t>(vectors_.size()) / shape.dim;
  prepared.floats = vectors_.data();
  if (shape.keys == RouteKeys::kInt8) {
    Quantise(query, shape, kernels);
    prepared.codes = {codes_.data(), scales_.data(), offsets_.data(), prepared.count,
                      query.bits == QueryBits::k15};
  }
  return prepared;
}

void GroupQueries(std::span<const float> queries, const RouteHeads& heads, bool cosine,
                  float factor, std::span<float> out) {
  const std::int64_t dim = heads.head_dim;
  const std::int64_t group = heads.heads / heads.kv_heads;
  const float* q = queries.data();
  const auto tokens = static_cast<std::int64_t>(queries.size()) / (heads.heads * dim);
  std::ranges::fill(out, 0.0F);
  for (std::int64_t row = 0; row < tokens * heads.heads; ++row, q += dim) {
    double squares = 0;
    for (std::int64_t i = 0; i < dim; ++i) squares += double{q[i]} * double{q[i]};
    const double norm = cosine ? std::max(std::sqrt(squares), 1e-12) : 1.0;
    float* to = out.data() + row / group * dim;
    for (std::int64_t i = 0; i < dim; ++i) {
      to[i] += static_cast<float>(double{q[i]} * double{factor} / norm);
    }
  }
}

}  // namespace kvasir::compute
