// Small models fall into loops: this tells when one has.
#ifndef KVASIR_MODEL_REPETITION_H_
#define KVASIR_MODEL_REPETITION_H_

#include <cstdint>
#include <span>

namespace kvasir::model {

/// Whether the tokens end in a loop: the same run of 1 to 64 tokens three times in a row, at least
/// 12 tokens in all. Cost: linear in what is looked at, under a microsecond for text that does not
/// repeat.
bool EndsInLoop(std::span<const std::int32_t> tokens);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_REPETITION_H_
