// The loaded model as a reasoner.
#ifndef KVASIR_AGENT_LOCAL_REASONER_H_
#define KVASIR_AGENT_LOCAL_REASONER_H_

#include <cstddef>
#include <vector>

#include "agent/bank.h"
#include "agent/reasoner.h"
#include "kvasir/status.h"
#include "model/question.h"
#include "model/tokenizer.h"

namespace kvasir::agent {

/// Tokens of the conversation with the opening of a reply.
Result<std::size_t> CountLocally(const Bank& bank, const std::vector<ReasonerMessage>& messages);

/// How many tokens a prompt may have before `max_new_tokens` are generated.
std::size_t LocalBudget(const Bank& bank, std::uint32_t max_new_tokens);

/// Generates from where `question` stands, until a control token, a stop string, a loop or the
/// bound; the request's messages are not read. kCancelled, or the model's errors.
Result<ReasonerAnswer> Reply(Bank& bank, model::Question& question, const ReasonerRequest& request);

/// Generates with the bank's model; `memory` may be null. Waits for other answers: there is one
/// context. kUnavailable when the model's tokenizer knows no chat marks, kCancelled.
Result<ReasonerAnswer> AnswerLocally(Bank& bank, const ReasonerRequest& request,
                                     model::MemoryProvider* memory);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_LOCAL_REASONER_H_
