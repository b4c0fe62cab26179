// One check for every list of tokens that enters a run.
#ifndef KVASIR_MODEL_TOKEN_CHECK_H_
#define KVASIR_MODEL_TOKEN_CHECK_H_

#include <cstdint>
#include <span>

#include "kvasir/status.h"
#include "model/config.h"

namespace kvasir::model {

/// kInvalidArgument unless there is at least one token, all are in the vocabulary, and `before`
/// positions and these fit the context that the model was made for.
Status CheckTokens(const ModelConfig& config, std::span<const std::int32_t> tokens,
                   std::int64_t before);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKEN_CHECK_H_
