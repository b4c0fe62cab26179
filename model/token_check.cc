#include "model/token_check.h"

#include <string>

namespace kvasir::model {

Status CheckTokens(const ModelConfig& config, std::span<const std::int32_t> tokens,
                   std::int64_t before) {
  if (tokens.empty()) return InvalidArgument("no tokens to run; give at least one");
  const auto count = static_cast<std::int64_t>(tokens.size());
  if (before + count > config.context_length) {
    return InvalidArgument(std::to_string(before + count) + " positions are more than the " +
                           std::to_string(config.context_length) +
                           " that the model was made for; use a shorter text");
  }
  for (std::int64_t i = 0; i < count; ++i) {
    if (tokens[i] < 0 || tokens[i] >= config.vocab) {
      return InvalidArgument("token " + std::to_string(tokens[i]) + " at place " +
                             std::to_string(i) + " is outside the vocabulary of " +
                             std::to_string(config.vocab));
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::model
