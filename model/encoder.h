// Stage 1 of MSA: segments of text to latent memory (msa.md §3).
#ifndef KVASIR_MODEL_ENCODER_H_
#define KVASIR_MODEL_ENCODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kvasir/status.h"
#include "model/model.h"
#include "model/observer.h"

namespace kvasir::model {

using TokenSequence = std::vector<std::int32_t>;

/// One routed layer's memory of a segment; rows are chunks of RouterSpec::pooling tokens.
struct EncodedLayer {
  std::int32_t layer = 0;
  std::vector<float> keys;         ///< K̄ [chunks, key_value_dim], pooled after RoPE.
  std::vector<float> values;       ///< V̄ [chunks, key_value_dim]
  std::vector<float> router_keys;  ///< K̄ᴿ [chunks, router dim]; unit per head when cosine.
};

struct EncodedSegment {
  std::int64_t tokens = 0;
  std::int64_t chunks = 0;           ///< ceil(tokens / pooling)
  std::vector<EncodedLayer> layers;  ///< One per routed layer, ascending.
};

struct EncoderOptions {
  /// Tokens of one packed batch. 2048 rows keep a matrix product busy and its activations within
  /// 2048 × (hidden + 2 · feed-forward) floats; a longer segment is a batch by itself.
  std::int64_t batch_tokens = 2048;
};

/// Runs segments alone but together: many in one packed batch without padding, positions from 0 and
/// causal attention inside each. One thread at a time. Activations are kept between calls and grow
/// only for a batch larger than any before; what is returned is all that a warm call allocates.
class Encoder {
 public:
  static Result<std::unique_ptr<Encoder>> Make(std::shared_ptr<const Model> model,
                                               const EncoderOptions& options = {});
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// One result per segment, same order, the same whatever else is in the call (within the
  /// rounding of the backend's matrix product). Stops after the highest routed layer's keys and
  /// values. Errors: kInvalidArgument for an empty segment, a token outside the vocabulary, or more
  /// tokens than the model's context; the backend's. Nothing is encoded when one segment is bad.
  Result<std::vector<EncodedSegment>> Encode(std::span<const TokenSequence> segments);

  /// Null: nobody looks. See observer.h.
  void set_observer(Observer* observer);

 private:
  class Run;
  explicit Encoder(std::unique_ptr<Run> run);
  std::unique_ptr<Run> run_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_ENCODER_H_
