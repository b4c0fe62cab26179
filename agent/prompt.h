// The words that a reasoner gets: what to do, the memories as fenced data, the question.
#ifndef KVASIR_AGENT_PROMPT_H_
#define KVASIR_AGENT_PROMPT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/reading.h"
#include "agent/reasoner.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// What a prompt costs, in whatever unit its reader is limited by.
using PromptCost = std::function<Result<std::size_t>(const std::vector<ReasonerMessage>&)>;

/// A system and a user message. Each memory is "[number]. TITLE: TEXT" between two fence lines, in
/// ascending order of numbers. While the cost is over `budget` the lowest scored passage is left
/// out, the last one cut by halves at sentence ends; `passages` keeps what went in.
/// kInvalidArgument when the question alone does not fit.
Result<std::vector<ReasonerMessage>> MakePrompt(std::string_view question,
                                                std::vector<Passage>* passages, std::size_t budget,
                                                const PromptCost& cost);

/// What the prompt tells a reasoner to say, and what `ask` says itself, when memory has no answer.
inline constexpr std::string_view kNotInMemory = "Not in memory.";

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_PROMPT_H_
