#include "model/raw_queries.h"

#include <utility>

namespace kvasir::model {

Status RawQueries::Reserve(std::int64_t tokens) {
  if (tokens <= capacity_) return Status::Ok();
  slots_.resize(model_.router().layers.size());
  for (Slot& slot : slots_) {
    KVASIR_ASSIGN_OR_RETURN(slot.rows,
                            model_.backend().Allocate(tokens * model_.router().query_dim()));
  }
  capacity_ = tokens;
  return Status::Ok();
}

void RawQueries::TakeUnrotated(std::int32_t layer, std::int64_t index) {
  compute::Stream& stream = transformer_.stream();
  switch (model_.router().source) {
    case RouterSource::kTrained: {
      const LayerWeights& w = model_.weights().layers[layer];
      stream.MatMul(transformer_.normed(), *w.router_query, Rows(index), /*accumulate=*/false);
      if (w.router_query_bias != nullptr) {
        stream.AddBias(w.router_query_bias->View(1, w.router_query_bias->size()), Rows(index));
      }
      return;
    }
    case RouterSource::kProjection:
      stream.Copy(transformer_.queries(), Rows(index));
      return;
    case RouterSource::kAttention:
      return;
  }
}

void RawQueries::TakeRotated(std::int64_t index) {
  if (model_.router().source != RouterSource::kAttention) return;
  transformer_.stream().Copy(transformer_.queries(), Rows(index));
}

void RawQueries::Download(std::int64_t index) {
  const compute::Rows rows = Rows(index);
  slots_[index].host.resize(static_cast<std::size_t>(rows.rows * rows.cols));
  transformer_.stream().Download(rows, slots_[index].host);
}

}  // namespace kvasir::model
