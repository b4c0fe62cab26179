// Stage 2 of MSA: a question over latent memory (msa.md §4 to §6), and the same machine as a plain
// language model when there is no memory.
#ifndef KVASIR_MODEL_QUESTION_H_
#define KVASIR_MODEL_QUESTION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kvasir/status.h"
#include "model/model.h"
#include "model/observer.h"

namespace kvasir::model {

/// Pooled keys and values of one selected document in one layer, [chunks, key_value_dim] each, host
/// memory, float32. Borrows.
struct MemoryBlock {
  std::span<const float> keys = {};
  std::span<const float> values = {};
};

/// Who answers a routed layer's query with memory: the agent, its index and its cache.
class MemoryProvider {
 public:
  virtual ~MemoryProvider() = default;
  /// Called once per routed layer, ascending, inside Prefill. `blocks` comes in empty; fill it in
  /// ascending document order, or leave it empty: the layer attends to no document. The views must
  /// live until the next Select begins, the last ones until Prefill returns. A failure ends the
  /// Prefill with it.
  virtual Status Select(const RouterQuery& query, std::vector<MemoryBlock>& blocks) = 0;

 protected:
  MemoryProvider() = default;
};

/// A context to be run from scratch.
struct PrefillRequest {
  std::span<const std::int32_t> tokens = {};  ///< At least one.
  /// Per token: 1 routes, 0 does not. Empty: all do. (`skip_first_token` applies on top.)
  std::span<const std::uint8_t> routes = {};
  /// Null: no memory. Then neither the template head nor documents are attended to, positions count
  /// from 0, and the context is a plain prompt. Otherwise positions start at template head + k.
  MemoryProvider* memory = nullptr;
};

/// A running context with its key-value cache. One thread at a time. Reusable: Prefill starts over
/// and keeps the buffers. Memory: context × layers × 2 × key_value_dim floats, grown as needed.
class Question {
 public:
  static Result<std::unique_ptr<Question>> Make(std::shared_ptr<const Model> model);
  ~Question();
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  /// Runs the whole context, asking `memory` once per routed layer; what it selects stays for every
  /// later Append. Errors: kInvalidArgument (no token, a token outside the vocabulary, longer than
  /// the model's context), the provider's, the backend's. After an error only Prefill may be
  /// called.
  Status Prefill(const PrefillRequest& request);

  /// Continues by one token (decode) or a piece of text, causal, without routing. Errors as
  /// Prefill.
  Status Append(std::span<const std::int32_t> tokens);

  /// Logits after the last token, [vocabulary]; valid until the next Prefill or Append.
  std::span<const float> logits() const;
  /// Tokens in the context, the template head and memory not counted.
  std::int64_t length() const;
  /// Keys that `layer` attends to: template head, chunks, context (msa.md §5).
  std::int64_t KeyCount(std::int32_t layer) const;

  /// Recall's pass: the question without documents, no logits; stops at the highest routed layer.
  /// One RouterQuery per routed layer. See RouterSpec::route_behind_head. Leaves the context alone.
  Result<std::vector<RouterQuery>> Route(std::span<const std::int32_t> tokens,
                                         std::span<const std::uint8_t> routes = {});

  /// Null: nobody looks. See observer.h.
  void set_observer(Observer* observer);

 private:
  class Run;
  explicit Question(std::unique_ptr<Run> run);
  std::unique_ptr<Run> run_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_QUESTION_H_
