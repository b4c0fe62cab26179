// Ask: Memory Interleave (msa.md §6) with the local model, or with somebody else's.
#ifndef KVASIR_AGENT_ASK_H_
#define KVASIR_AGENT_ASK_H_

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::Ask. Each hop chooses memories for the question and what was found so far; then the
/// reasoner reads their original texts, fenced as data, and answers. The local model attends to
/// their pooled keys and values besides. When nothing scores, the answer says so and no model runs.
/// Cost: a recall per hop, one prefill, one pass per new token. Thread-safe; the local model
/// answers one question at a time.
Result<AskResult> Ask(Bank& bank, const AskRequest& request, const CallOptions& options);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ASK_H_
