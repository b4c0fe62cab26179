// The raw router queries of a run: projected on the backend layer by layer, fetched to the host.
#ifndef KVASIR_MODEL_RAW_QUERIES_H_
#define KVASIR_MODEL_RAW_QUERIES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"
#include "model/model.h"
#include "model/transformer.h"

namespace kvasir::model {

/// One slot of [tokens, query_dim] per routed layer. Borrows model and transformer.
class RawQueries {
 public:
  RawQueries(const Model& model, const Transformer& transformer)
      : model_(model), transformer_(transformer) {}

  /// Room for `tokens` in every slot. Errors: the backend's.
  Status Reserve(std::int64_t tokens);

  /// Enqueue the projection of slot `index` (of routed layer `layer`) if that is where the spec
  /// takes queries from: call TakeUnrotated between Project and Rotate, TakeRotated behind Rotate.
  void TakeUnrotated(std::int32_t layer, std::int64_t index);
  void TakeRotated(std::int64_t index);

  /// Enqueues the download of a slot; Host(index) is valid once the stream is synchronised.
  void Download(std::int64_t index);
  std::span<const float> Host(std::int64_t index) const { return slots_[index].host; }

 private:
  struct Slot {
    std::unique_ptr<compute::Buffer> rows;
    std::vector<float> host;
  };
  compute::Rows Rows(std::int64_t index) const {
    return slots_[index].rows->View(transformer_.tokens(), model_.router().query_dim());
  }

  const Model& model_;
  const Transformer& transformer_;
  std::int64_t capacity_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_RAW_QUERIES_H_
