// Recall: what the store knows of a question, without generating a word.
#ifndef KVASIR_AGENT_RECALL_H_
#define KVASIR_AGENT_RECALL_H_

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::Recall. With hops, the best hits' texts are put behind the question and it is
/// searched again; a memory found on the way counts with its best score, lowered by the factor of
/// its hop. Cost of a hop: up to three model passes over a question. Thread-safe.
Result<RecallResult> Recall(Bank& bank, const RecallRequest& request, const CallOptions& options);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_RECALL_H_
