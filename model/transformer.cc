#include "model/transformer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kvasir::model {

using compute::AttentionSequence;
using compute::ConstRows;
using compute::Rows;

namespace {

ConstRows Vector(const compute::Buffer& buffer) { return buffer.View(1, buffer.size()); }

}  // namespace

Result<std::unique_ptr<Transformer>> Transformer::Make(const ModelConfig& config,
                                                       const Weights& weights,
                                                       compute::Backend& backend) {
  KVASIR_ASSIGN_OR_RETURN(auto stream, backend.NewStream());
  std::unique_ptr<Transformer> transformer(
      new Transformer(config, weights, backend, std::move(stream)));
  KVASIR_ASSIGN_OR_RETURN(transformer->logits_, backend.Allocate(config.vocab));
  return transformer;
}

Transformer::Transformer(const ModelConfig& config, const Weights& weights,
                         compute::Backend& backend, std::unique_ptr<compute::Stream> stream)
    : config_(config),
      weights_(weights),
      backend_(backend),
      stream_(std::move(stream)),
      rope_{.head_dim = config.head_dim,
            .rotary_dim = config.rope.dims,
            .interleaved = config.rope.layout == RopeLayout::kInterleaved,
            .inverse_frequencies = weights.inverse_frequencies} {}

Status Transformer::Reserve(std::int64_t tokens) {
  if (tokens <= capacity_) return Status::Ok();
  const std::int64_t fused = config_.query_width() + 2 * std::int64_t{config_.kv_width()};
  positions_.clear();
  KVASIR_ASSIGN_OR_RETURN(residual_, backend_.Allocate(tokens * config_.hidden));
  KVASIR_ASSIGN_OR_RETURN(normed_, backend_.Allocate(tokens * config_.hidden));
  KVASIR_ASSIGN_OR_RETURN(fused_, backend_.Allocate(tokens * fused));
  KVASIR_ASSIGN_OR_RETURN(attended_, backend_.Allocate(tokens * config_.query_width()));
  KVASIR_ASSIGN_OR_RETURN(gate_up_, backend_.Allocate(tokens * 2 * config_.ffn));
  capacity_ = tokens;
  return Status::Ok();
}

Status Transformer::Begin(Tower tower, std::span<const std::int32_t> tokens,
                          std::span<const std::int32_t> positions) {
  tower_ = tower;
  positions_.assign(positions.begin(), positions.end());
  stream_->Embed(*weights_.embedding, tokens, residual());
  return Show(Probe::kResidual, -1, residual());
}

void Transformer::Project(std::int32_t layer) {
  const LayerWeights& w = weights_.Layer(tower_, layer);
  const auto eps = static_cast<float>(config_.rms_eps);
  stream_->RmsNorm(residual(), Vector(*w.attention_norm), eps, normed());
  stream_->MatMul(normed(), *w.query_key_value, fused(), /*accumulate=*/false);
  if (w.query_norm == nullptr) return;
  stream_->RmsNorm(queries(), Vector(*w.query_norm), eps, queries());
  stream_->RmsNorm(keys(), Vector(*w.key_norm), eps, keys());
}

void Transformer::Rotate() {
  // Queries and keys lie side by side: one call turns the heads of both.
  stream_->Rope(fused().Columns(0, config_.query_width() + config_.kv_width()), rope_, positions_);
}

void Transformer::Attend(std::int32_t layer, std::span<const AttentionSequence> sequences) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim));
  const Rows attended = attended_->View(tokens(), config_.query_width());
  stream_->Attention(queries(), sequences, config_.heads, config_.kv_heads, config_.head_dim, scale,
                     attended);
  stream_->MatMul(attended, *weights_.Layer(tower_, layer).attention_output, residual(),
                  /*accumulate=*/true);
}

Status Transformer::FeedForward(std::int32_t layer) {
  const LayerWeights& w = weights_.Layer(tower_, layer);
  const Rows gate_up = gate_up_->View(tokens(), 2 * std::int64_t{config_.ffn});
  const Rows gate = gate_up.Columns(0, config_.ffn);
  stream_->RmsNorm(residual(), Vector(*w.feed_forward_norm), static_cast<float>(config_.rms_eps),
                   normed());
  stream_->MatMul(normed(), *w.gate_up, gate_up, /*accumulate=*/false);
  stream_->SiluMul(gate, gate_up.Columns(config_.ffn, config_.ffn), gate);
  stream_->MatMul(gate, *w.down, residual(), /*accumulate=*/true);
  return Show(Probe::kResidual, layer, residual());
}

Status Transformer::Logits(std::span<float> out) {
  // Only the last row needs the head, which is the largest matrix of all; the others' norms are
  // computed for an observer alone.
  const std::int64_t first = observer_ != nullptr ? 0 : tokens() - 1;
  const std::int64_t count = tokens() - first;
  stream_->RmsNorm(residual().Slice(first, count), Vector(*weights_.final_norm),
                   static_cast<float>(config_.rms_eps), normed().Slice(first, count));
  KVASIR_RETURN_IF_ERROR(Show(Probe::kFinalNorm, config_.layers - 1, normed()));
  const Rows logits = logits_->View(1, config_.vocab);
  stream_->MatMul(normed().Slice(tokens() - 1, 1), weights_.output_head(), logits,
                  /*accumulate=*/false);
  stream_->Download(logits, out);
  return stream_->Synchronize();
}

Status Transformer::Show(Probe probe, std::int32_t layer, ConstRows rows) {
  if (observer_ == nullptr) return Status::Ok();
  std::vector<float> host(static_cast<std::size_t>(rows.rows * rows.cols));
  stream_->Download(rows, host);
  KVASIR_RETURN_IF_ERROR(stream_->Synchronize());
  observer_->See(probe, layer, host, rows.cols);
  return Status::Ok();
}

}  // namespace kvasir::model
