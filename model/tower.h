// Which layers a pass goes through.
#ifndef KVASIR_MODEL_TOWER_H_
#define KVASIR_MODEL_TOWER_H_

#include <cstdint>

namespace kvasir::model {

/// An adapter's low-rank changes that teach a model to remember and to find would spoil its
/// writing, and those that teach it to answer would change what is remembered: each set stands in a
/// tower of its own beside the base's weights (docs/adr/0003, docs/adr/0009).
enum class Tower : std::uint8_t {
  kLanguage,  ///< Prompts, answers, the template head.
  kMemory,    ///< Up to the last routed layer: segments, and recall's questions.
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOWER_H_
