#include "model/router.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kvasir::model {
namespace {

compute::HeadReduce Translate(HeadReduce reduce) {
  return reduce == HeadReduce::kMax ? compute::HeadReduce::kMax : compute::HeadReduce::kMean;
}

compute::QueryReduce Translate(QueryReduce reduce) {
  switch (reduce) {
    case QueryReduce::kMax:
      return compute::QueryReduce::kMax;
    case QueryReduce::kMean:
      return compute::QueryReduce::kMean;
    case QueryReduce::kLast:
      return compute::QueryReduce::kLast;
  }
  return compute::QueryReduce::kMax;
}

compute::ChunkReduce Translate(ChunkReduce reduce) {
  return reduce == ChunkReduce::kMean ? compute::ChunkReduce::kMean : compute::ChunkReduce::kMax;
}

void MakeUnit(std::span<float> vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  const auto factor = static_cast<float>(1.0 / std::max(std::sqrt(sum), 1e-12));
  for (float& x : vector) x *= factor;
}

/// Leaves in `rows` those of the tokens that route, [count, dim].
void TakeRoutingRows(const RouterSpec& spec, std::span<const float> queries,
                     std::span<const std::uint8_t> routes, std::vector<float>* rows) {
  const auto dim = static_cast<std::size_t>(spec.query_dim());
  const std::size_t tokens = queries.size() / dim;
  const std::size_t first = spec.skip_first_token && tokens > 1 ? 1 : 0;
  rows->clear();
  rows->reserve(queries.size());
  for (std::size_t token = first; token < tokens; ++token) {
    if (!routes.empty() && routes[token] == 0) continue;
    const auto row = queries.subspan(token * dim, dim);
    rows->insert(rows->end(), row.begin(), row.end());
  }
}

/// Appends the mean of tokens [begin, end) of `rows` to `means`.
void AppendMean(std::span<const float> rows, std::size_t dim, std::size_t begin, std::size_t end,
                std::vector<double>* sums, std::vector<float>* means) {
  sums->assign(dim, 0.0);
  for (std::size_t i = begin * dim; i < end * dim; ++i) (*sums)[i % dim] += rows[i];
  const auto count = static_cast<double>(end - begin);
  for (const double sum : *sums) means->push_back(static_cast<float>(sum / count));
}

/// Into how many parts a question of `tokens` is cut; 0: none.
std::size_t PartsOf(std::int64_t part, std::size_t tokens) {
  if (part <= 0 || 2 * tokens < 3 * static_cast<std::size_t>(part)) return 0;
  const double whole = std::round(static_cast<double>(tokens) / static_cast<double>(part));
  return std::clamp<std::size_t>(static_cast<std::size_t>(whole), 2, kMaxQueryParts);
}

/// Leaves the rows' mean in their place, and behind it the mean of each part.
void ReplaceByMeans(std::size_t dim, std::int64_t part, QueryRoom* room) {
  const std::size_t tokens = room->rows.size() / dim;
  const std::size_t parts = PartsOf(part, tokens);
  room->means.clear();
  AppendMean(room->rows, dim, 0, tokens, &room->sums, &room->means);
  for (std::size_t i = 0; i < parts; ++i) {
    AppendMean(room->rows, dim, i * tokens / parts, (i + 1) * tokens / parts, &room->sums,
               &room->means);
  }
  room->rows.swap(room->means);
}

}  // namespace

std::int64_t RouterSpec::IndexOf(std::int32_t layer) const {
  const auto found = std::lower_bound(layers.begin(), layers.end(), layer);
  return found != layers.end() && *found == layer ? found - layers.begin() : -1;
}

RouterSpec RouterSpecOf(const ModelConfig& config) {
  const MsaConfig msa = config.msa ? *config.msa : UpperHalfRouting(config.layers);
  RouterSpec spec;
  spec.layers.assign(msa.routed_layers.begin(), msa.routed_layers.end());
  spec.key_heads = config.kv_heads;
  spec.query_heads = config.heads;
  spec.head_dim = config.head_dim;
  spec.pooling = msa.pooling;
  spec.top_k = msa.top_k_docs;
  spec.layer_weights.assign(spec.layers.size(), 1.0F);
  if (!config.msa) return spec;
  spec.source = msa.decouple_router ? RouterSource::kTrained : RouterSource::kAttention;
  spec.cosine = msa.cosine();
  if (msa.scaled()) spec.query_scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim));
  spec.head_reduce = Translate(msa.head_reduce);
  spec.query_reduce = Translate(msa.query_reduce);
  spec.chunk_reduce = Translate(msa.chunk_reduce);
  spec.route_behind_head = true;
  return spec;
}

void FinishHeads(const RouterSpec& spec, std::span<float> queries) {
  const auto dim = static_cast<std::size_t>(spec.head_dim);
  for (std::size_t begin = 0; begin < queries.size(); begin += dim) {
    const auto head = queries.subspan(begin, dim);
    if (spec.cosine) MakeUnit(head);
    for (float& x : head) x *= spec.query_scale;
  }
}

RouterQuery FormQuery(const RouterSpec& spec, std::int32_t layer, std::span<const float> queries,
                      std::span<const std::uint8_t> routes, QueryRoom* room) {
  const auto query_dim = static_cast<std::size_t>(spec.query_dim());
  std::vector<float>& rows = room->rows;
  TakeRoutingRows(spec, queries, routes, &rows);
  RouterQuery query;
  query.layer = layer;
  query.dim = spec.folds() ? spec.dim() : spec.query_dim();
  if (rows.empty()) return query;

  const bool mean = spec.query_reduce == compute::QueryReduce::kMean && spec.folds();
  if (mean && spec.mean_before_unit) ReplaceByMeans(query_dim, spec.query_part, room);
  if (spec.query_reduce == compute::QueryReduce::kLast) {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(query_dim));
  }
  FinishHeads(spec, rows);
  // The mean of dot products is the dot product of the mean.
  if (mean && !spec.mean_before_unit) ReplaceByMeans(query_dim, 0, room);

  query.count = static_cast<std::int64_t>(rows.size() / query_dim);
  if (!spec.folds()) {
    query.vectors = rows;
    return query;
  }
  query.vectors.resize(static_cast<std::size_t>(query.count * query.dim));
  const compute::RouteHeads heads{
      .heads = spec.query_heads, .kv_heads = spec.key_heads, .head_dim = spec.head_dim};
  compute::GroupQueries(rows, heads, /*cosine=*/false, 1.0F / static_cast<float>(spec.query_heads),
                        query.vectors);
  return query;
}

}  // namespace kvasir::model
