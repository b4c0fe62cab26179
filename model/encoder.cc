#include "model/encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/token_check.h"
#include "model/transformer.h"

namespace kvasir::model {

using compute::RowRun;
using compute::Rows;

namespace {

/// Where the segments of one batch lie: rows of tokens, and rows of chunks.
struct Packing {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> positions;
  std::vector<RowRun> segments;    // In tokens.
  std::vector<RowRun> chunk_rows;  // Of each segment, in chunks.
  std::vector<RowRun> chunks;      // Tokens whose K and V a chunk averages.
  std::vector<RowRun>
      router_chunks;  // The same without first tokens, when the spec leaves them out.

  void Clear();
  void Add(const TokenSequence& segment, const RouterSpec& router);
};

void Packing::Clear() {
  tokens.clear();
  positions.clear();
  segments.clear();
  chunk_rows.clear();
  chunks.clear();
  router_chunks.clear();
}

void Packing::Add(const TokenSequence& segment, const RouterSpec& router) {
  const auto begin = static_cast<std::int64_t>(tokens.size());
  const auto count = static_cast<std::int64_t>(segment.size());
  const auto first_chunk = static_cast<std::int64_t>(chunks.size());
  tokens.insert(tokens.end(), segment.begin(), segment.end());
  for (std::int64_t i = 0; i < count; ++i) positions.push_back(static_cast<std::int32_t>(i));
  for (std::int64_t at = 0; at < count; at += router.pooling) {
    const RowRun run{.begin = begin + at, .count = std::min(router.pooling, count - at)};
    const std::int64_t skip = router.skip_first_token && at == 0 && run.count > 1 ? 1 : 0;
    chunks.push_back(run);
    router_chunks.push_back({.begin = run.begin + skip, .count = run.count - skip});
  }
  segments.push_back({.begin = begin, .count = count});
  chunk_rows.push_back(
      {.begin = first_chunk, .count = static_cast<std::int64_t>(chunks.size()) - first_chunk});
}

/// Rows [run] of host rows that are `stride` wide, columns [begin, begin + cols).
std::vector<float> CutRows(std::span<const float> rows, std::int64_t stride, RowRun run,
                           std::int64_t begin, std::int64_t cols) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(run.count * cols));
  for (std::int64_t row = run.begin; row < run.begin + run.count; ++row) {
    const auto part = rows.subspan(static_cast<std::size_t>(row * stride + begin),
                                   static_cast<std::size_t>(cols));
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

class Encoder::Run {
 public:
  Run(std::shared_ptr<const Model> model, const EncoderOptions& options,
      std::unique_ptr<Transformer> transformer)
      : model_(std::move(model)), options_(options), transformer_(std::move(transformer)) {}

  Result<std::vector<EncodedSegment>> Encode(std::span<const TokenSequence> segments);
  void set_observer(Observer* observer) { transformer_->set_observer(observer); }

 private:
  /// Pooled rows of one routed layer, on the backend and on the host.
  struct Pooled {
    std::unique_ptr<compute::Buffer> key_values;   // [chunks, key | value]
    std::unique_ptr<compute::Buffer> router_keys;  // [chunks, router dim]
    std::vector<float> host_key_values;
    std::vector<float> host_router_keys;
  };

  Status Reserve(const Packing& packing);
  Status EncodeBatch(const Packing& packing, std::vector<EncodedSegment>& out);
  Status RunLayers(const Packing& packing);
  void PoolRouterKeys(std::int32_t layer, const Packing& packing, Rows out);
  Status DownloadPooled(const Packing& packing);
  EncodedSegment Collect(const Packing& packing, std::size_t segment) const;

  const RouterSpec& router() const { return model_->router(); }
  Rows KeyValues(std::size_t index, std::int64_t chunks) const {
    return pooled_[index].key_values->View(chunks, 2 * model_->key_value_dim());
  }
  Rows RouterKeys(std::size_t index, std::int64_t chunks) const {
    return pooled_[index].router_keys->View(chunks, router().dim());
  }

  std::shared_ptr<const Model> model_;
  EncoderOptions options_;
  std::unique_ptr<Transformer> transformer_;
  Packing packing_;
  std::vector<compute::AttentionSequence> sequences_;
  std::int64_t chunk_capacity_ = 0;
  std::vector<Pooled> pooled_;                      // One per routed layer.
  std::unique_ptr<compute::Buffer> pooled_normed_;  // [chunks, hidden]
};

Result<std::vector<EncodedSegment>> Encoder::Run::Encode(std::span<const TokenSequence> segments) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (Status status = CheckTokens(model_->config(), segments[i], 0); !status.ok()) {
      return status.WithContext("segment " + std::to_string(i));
    }
  }
  std::vector<EncodedSegment> out;
  out.reserve(segments.size());
  for (std::size_t next = 0; next < segments.size();) {
    packing_.Clear();
    do {
      packing_.Add(segments[next++], router());
    } while (next < segments.size() &&
             static_cast<std::int64_t>(packing_.tokens.size() + segments[next].size()) <=
                 options_.batch_tokens);
    KVASIR_RETURN_IF_ERROR(EncodeBatch(packing_, out));
  }
  return out;
}

Status Encoder::Run::Reserve(const Packing& packing) {
  KVASIR_RETURN_IF_ERROR(transformer_->Reserve(static_cast<std::int64_t>(packing.tokens.size())));
  const auto chunks = static_cast<std::int64_t>(packing.chunks.size());
  if (chunks <= chunk_capacity_) return Status::Ok();
  compute::Backend& backend = model_->backend();
  pooled_.resize(router().layers.size());
  for (Pooled& pooled : pooled_) {
    KVASIR_ASSIGN_OR_RETURN(pooled.key_values,
                            backend.Allocate(chunks * 2 * model_->key_value_dim()));
    KVASIR_ASSIGN_OR_RETURN(pooled.router_keys, backend.Allocate(chunks * router().dim()));
  }
  KVASIR_ASSIGN_OR_RETURN(pooled_normed_, backend.Allocate(chunks * model_->config().hidden));
  chunk_capacity_ = chunks;
  return Status::Ok();
}

Status Encoder::Run::EncodeBatch(const Packing& packing, std::vector<EncodedSegment>& out) {
  KVASIR_RETURN_IF_ERROR(Reserve(packing));
  KVASIR_RETURN_IF_ERROR(RunLayers(packing));
  KVASIR_RETURN_IF_ERROR(DownloadPooled(packing));
  for (std::size_t i = 0; i < packing.segments.size(); ++i) out.push_back(Collect(packing, i));
  return Status::Ok();
}

Status Encoder::Run::RunLayers(const Packing& packing) {
  Transformer& t = *transformer_;
  const auto chunks = static_cast<std::int64_t>(packing.chunks.size());
  const std::int32_t last = router().layers.back();
  KVASIR_RETURN_IF_ERROR(t.Begin(Tower::kMemory, packing.tokens, packing.positions));
  for (std::int32_t layer = 0;; ++layer) {
    const std::int64_t index = router().IndexOf(layer);
    t.Project(layer);
    if (index >= 0 && router().source != RouterSource::kAttention) {
      PoolRouterKeys(layer, packing, RouterKeys(index, chunks));
    }
    t.Rotate();
    if (index >= 0) t.stream().MeanPool(t.key_values(), packing.chunks, KeyValues(index, chunks));
    if (index >= 0 && router().source == RouterSource::kAttention) {
      PoolRouterKeys(layer, packing, RouterKeys(index, chunks));
    }
    if (layer == last) return Status::Ok();

    sequences_.clear();
    for (const RowRun& s : packing.segments) {
      sequences_.push_back({.query_begin = s.begin,
                            .query_count = s.count,
                            .memory = {},
                            .self = {.k = t.keys().Slice(s.begin, s.count),
                                     .v = t.values().Slice(s.begin, s.count)}});
    }
    t.Attend(layer, sequences_);
    KVASIR_RETURN_IF_ERROR(t.FeedForward(layer));
  }
}

void Encoder::Run::PoolRouterKeys(std::int32_t layer, const Packing& packing, Rows out) {
  Transformer& t = *transformer_;
  if (router().source == RouterSource::kTrained) {
    // mean(W a) = W mean(a): pooling first makes the product P times smaller.
    const LayerWeights& w = model_->weights().layers[layer];
    const Rows means = pooled_normed_->View(out.rows, model_->config().hidden);
    t.stream().MeanPool(t.normed(), packing.router_chunks, means);
    t.stream().MatMul(means, *w.router_key, out, /*accumulate=*/false);
    if (w.router_key_bias != nullptr) {
      t.stream().AddBias(w.router_key_bias->View(1, out.cols), out);
    }
  } else {
    t.stream().MeanPool(t.keys(), packing.router_chunks, out);
  }
  if (router().cosine) t.stream().Unit(out, router().head_dim);
}

Status Encoder::Run::DownloadPooled(const Packing& packing) {
  const auto chunks = static_cast<std::int64_t>(packing.chunks.size());
  for (std::size_t i = 0; i < pooled_.size(); ++i) {
    const Rows key_values = KeyValues(i, chunks);
    const Rows router_keys = RouterKeys(i, chunks);
    pooled_[i].host_key_values.resize(static_cast<std::size_t>(chunks * key_values.cols));
    pooled_[i].host_router_keys.resize(static_cast<std::size_t>(chunks * router_keys.cols));
    transformer_->stream().Download(key_values, pooled_[i].host_key_values);
    transformer_->stream().Download(router_keys, pooled_[i].host_router_keys);
  }
  return transformer_->stream().Synchronize();
}

EncodedSegment Encoder::Run::Collect(const Packing& packing, std::size_t segment) const {
  const RowRun rows = packing.chunk_rows[segment];
  const std::int64_t dim = model_->key_value_dim();
  EncodedSegment out{.tokens = packing.segments[segment].count, .chunks = rows.count, .layers = {}};
  out.layers.reserve(pooled_.size());
  for (std::size_t i = 0; i < pooled_.size(); ++i) {
    const Pooled& pooled = pooled_[i];
    out.layers.push_back(
        {.layer = router().layers[i],
         .keys = CutRows(pooled.host_key_values, 2 * dim, rows, 0, dim),
         .values = CutRows(pooled.host_key_values, 2 * dim, rows, dim, dim),
         .router_keys = CutRows(pooled.host_router_keys, router().dim(), rows, 0, router().dim())});
  }
  return out;
}

Result<std::unique_ptr<Encoder>> Encoder::Make(std::shared_ptr<const Model> model,
                                               const EncoderOptions& options) {
  KVASIR_ASSIGN_OR_RETURN(auto transformer,
                          Transformer::Make(model->config(), model->weights(), model->backend()));
  return std::unique_ptr<Encoder>(
      new Encoder(std::make_unique<Run>(std::move(model), options, std::move(transformer))));
}

Encoder::Encoder(std::unique_ptr<Run> run) : run_(std::move(run)) {}
Encoder::~Encoder() = default;

Result<std::vector<EncodedSegment>> Encoder::Encode(std::span<const TokenSequence> segments) {
  return run_->Encode(segments);
}

void Encoder::set_observer(Observer* observer) { run_->set_observer(observer); }

}  // namespace kvasir::model
