// One pass of a packed batch through the decoder, step by step, so that encoder and question can do
// between the steps what MSA does there (msa.md §3, §5).
//
//   Begin; then for each layer:  Project · Rotate · Attend · FeedForward;  then Logits
#ifndef KVASIR_MODEL_TRANSFORMER_H_
#define KVASIR_MODEL_TRANSFORMER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"
#include "model/config.h"
#include "model/observer.h"
#include "model/weights.h"

namespace kvasir::model {

/// The activations of one batch and the stream that computes them. Borrows config, weights and
/// backend. One thread at a time. Every view is valid until the next Reserve.
class Transformer {
 public:
  static Result<std::unique_ptr<Transformer>> Make(const ModelConfig& config,
                                                   const Weights& weights,
                                                   compute::Backend& backend);

  /// Activations for batches of up to `tokens`; allocates only beyond what there is.
  Status Reserve(std::int64_t tokens);

  /// h = embedding; the layers that follow are those of `tower`. Reserve first; tokens must be in
  /// the vocabulary. Copies both lists.
  Status Begin(Tower tower, std::span<const std::int32_t> tokens,
               std::span<const std::int32_t> positions);
  /// a = norm(h); q, k, v = W a; q, k normed per head where the model does so.
  void Project(std::int32_t layer);
  /// RoPE of q and k.
  void Rotate();
  /// h += W_O attention(q, …).
  void Attend(std::int32_t layer, std::span<const compute::AttentionSequence> sequences);
  /// h += W_down (silu(W_gate m) · W_up m), m = norm(h).
  Status FeedForward(std::int32_t layer);
  /// Logits of the last token, [vocabulary], and waits for them.
  Status Logits(std::span<float> out);

  std::int64_t tokens() const { return static_cast<std::int64_t>(positions_.size()); }
  compute::Rows residual() const { return residual_->View(tokens(), config_.hidden); }
  /// a of the latest Project, [tokens, hidden]; FeedForward overwrites it.
  compute::Rows normed() const { return normed_->View(tokens(), config_.hidden); }
  compute::Rows queries() const { return fused().Columns(0, config_.query_width()); }
  compute::Rows keys() const { return fused().Columns(config_.query_width(), config_.kv_width()); }
  compute::Rows values() const {
    return fused().Columns(config_.query_width() + config_.kv_width(), config_.kv_width());
  }
  /// [tokens, key | value]: what a KvRows takes.
  compute::Rows key_values() const {
    return fused().Columns(config_.query_width(), 2 * std::int64_t{config_.kv_width()});
  }

  compute::Stream& stream() const { return *stream_; }
  compute::Backend& backend() const { return backend_; }
  /// Null: nobody looks.
  void set_observer(Observer* observer) { observer_ = observer; }
  Observer* observer() const { return observer_; }

 private:
  Transformer(const ModelConfig& config, const Weights& weights, compute::Backend& backend,
              std::unique_ptr<compute::Stream> stream);

  compute::Rows fused() const {
    return fused_->View(tokens(), config_.query_width() + 2 * std::int64_t{config_.kv_width()});
  }
  Status Show(Probe probe, std::int32_t layer, compute::ConstRows rows);

  const ModelConfig& config_;
  const Weights& weights_;
  compute::Backend& backend_;
  std::unique_ptr<compute::Stream> stream_;
  compute::RopeSpec rope_;
  Tower tower_ = Tower::kLanguage;
  Observer* observer_ = nullptr;

  std::int64_t capacity_ = 0;
  std::vector<std::int32_t> positions_;
  std::unique_ptr<compute::Buffer> residual_;  // h [T, hidden]
  std::unique_ptr<compute::Buffer> normed_;    // a, m [T, hidden]
  std::unique_ptr<compute::Buffer> fused_;     // q | k | v [T, (H + 2G) D]
  std::unique_ptr<compute::Buffer> attended_;  // [T, H D]
  std::unique_ptr<compute::Buffer> gate_up_;   // gate | up [T, 2 ffn]
  std::unique_ptr<compute::Buffer> logits_;    // [1, vocabulary]
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TRANSFORMER_H_
