// A window into a run, for tests that compare every tensor and for research. Costs nothing when
// nobody looks; every look waits for the stream.
#ifndef KVASIR_MODEL_OBSERVER_H_
#define KVASIR_MODEL_OBSERVER_H_

#include <cstdint>
#include <span>

namespace kvasir::model {

enum class Probe : std::uint8_t {
  kResidual,     ///< The residual stream behind `layer`; −1: the embedding. [tokens, hidden]
  kFinalNorm,    ///< Behind the final norm. [tokens, hidden]
  kRouterQuery,  ///< As it enters the dot product, every token. [tokens, query_dim]
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// `rows` [rows.size() / cols, cols] live for this call only.
  virtual void See(Probe probe, std::int32_t layer, std::span<const float> rows,
                   std::int64_t cols) = 0;

 protected:
  Observer() = default;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_OBSERVER_H_
