// Routing: which layers choose documents, and how a question's hidden states become the vectors
// that are dotted with stored router keys (msa.md §4). Three ways are known; RouterSpec says which:
// a reference checkpoint's own (msa_config), a kvasir adapter's (trained projections with a bias),
// and, without either, each routed layer's own query and key projections taken before RoPE.
#ifndef KVASIR_MODEL_ROUTER_H_
#define KVASIR_MODEL_ROUTER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "compute/route.h"
#include "model/config.h"

namespace kvasir::model {

/// What a router key and a router query are made of.
enum class RouterSource : std::uint8_t {
  kTrained = 0,     ///< Own W_QR, W_KR (and maybe biases) of the input norm's output.
  kProjection = 1,  ///< The layer's q and k, normed where the model norms, before RoPE.
  kAttention = 2,   ///< The layer's q and k as attention sees them: normed and rotated.
};

/// One register block of query vectors, the whole question's among them (compute/route.h).
inline constexpr std::int64_t kMaxQueryParts = 7;

/// How a model routes. A value; the same for every routed layer.
struct RouterSpec {
  std::vector<std::int32_t> layers;  ///< Routed layers, ascending, from 0. Never empty.
  RouterSource source = RouterSource::kProjection;
  std::int64_t key_heads = 0;    ///< Groups of a router key.
  std::int64_t query_heads = 0;  ///< A multiple of key_heads; head h reads group h / (ratio).
  std::int64_t head_dim = 0;     ///< Numbers in one group.
  bool cosine = true;            ///< Keys and queries are unit vectors per head.
  float query_scale = 1.0F;      ///< Factor on every query: 1, or D^-0.5 (msa.md §4).
  compute::HeadReduce head_reduce = compute::HeadReduce::kMean;
  compute::QueryReduce query_reduce = compute::QueryReduce::kMax;
  compute::ChunkReduce chunk_reduce = compute::ChunkReduce::kMax;
  /// Query reduction mean takes the mean of the raw queries and makes that a unit vector (kvasir
  /// adapters), instead of the mean of the scores of unit vectors.
  bool mean_before_unit = false;
  /// With mean_before_unit, a question of 1.5 times so many routing tokens or more is also cut into
  /// equal parts of about that length (at most kMaxQueryParts), each with a vector of its own: a
  /// compound question finds what only one of its parts asks for. 0: the whole alone.
  std::int64_t query_part = 0;
  /// The first token of a text neither routes nor enters a router key: its state is an outlier. A
  /// text of one token keeps it.
  bool skip_first_token = false;
  /// Question::Route sees the template head and counts positions behind it, as a reference
  /// checkpoint was trained; otherwise the question stands alone.
  bool route_behind_head = false;
  std::int64_t pooling = 64;         ///< P, tokens per chunk.
  std::int64_t top_k = 16;           ///< k, documents selected per layer; part of the positions.
  std::vector<float> layer_weights;  ///< One per routed layer, for a sum of scores over layers.

  /// Numbers of a chunk's router key.
  std::int64_t dim() const { return key_heads * head_dim; }
  /// Numbers of a token's raw query.
  std::int64_t query_dim() const { return query_heads * head_dim; }
  /// Whether query heads fold into one vector per token ("an exact saving", msa.md §4).
  bool folds() const { return head_reduce == compute::HeadReduce::kMean; }
  /// The position of `layer` in `layers`, −1 when it does not route.
  std::int64_t IndexOf(std::int32_t layer) const;
};

/// The question in one routed layer, ready to be dotted with stored router keys.
///
/// When the spec folds(): dim = spec.dim() and score(chunk) = max over v of vectors[v] · key,
/// whatever the query reduction is (last leaves one vector, mean one and its query_part's):
/// compute::RouteIndex::Scan. Otherwise dim = spec.query_dim(), one vector per routing token, and
/// the spec's reductions apply: compute::RouteIndex::ScanGeneral.
struct RouterQuery {
  std::int32_t layer = 0;
  std::int64_t count = 0;      ///< Vectors; 0 when no token routes.
  std::int64_t dim = 0;        ///< Numbers per vector.
  std::vector<float> vectors;  ///< [count, dim]
};

/// The routing of a reference checkpoint (`config.msa`), or without one of the upper half of the
/// layers by their own projections.
RouterSpec RouterSpecOf(const ModelConfig& config);

/// Makes each head of raw queries [n, query_dim] what enters a dot product: a unit vector when
/// cosine, times query_scale.
void FinishHeads(const RouterSpec& spec, std::span<float> queries);

/// What FormQuery computes in; kept by its caller, so that forming a query allocates it alone.
struct QueryRoom {
  std::vector<float> rows;
  std::vector<float> means;
  std::vector<double> sums;
};

/// The query of one layer from raw queries of all tokens [n, query_dim]; `routes` per token, empty:
/// all of them.
RouterQuery FormQuery(const RouterSpec& spec, std::int32_t layer, std::span<const float> queries,
                      std::span<const std::uint8_t> routes, QueryRoom* room);
inline RouterQuery FormQuery(const RouterSpec& spec, std::int32_t layer,
                             std::span<const float> queries, std::span<const std::uint8_t> routes) {
  QueryRoom room;
  return FormQuery(spec, layer, queries, routes, &room);
}

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_ROUTER_H_
