// Recall: what the store knows of a question, without generating a word.
#ifndef KVASIR_AGENT_RECALL_H_
#define KVASIR_AGENT_RECALL_H_

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::Recall. With hops, the question is searched again behind each of the two best hits'
/// beginnings; a memory that such a search finds gains as the hit is sure and the memory is near
/// the best of that search. Ends when every hit has been followed. Cost of a hop: two more
/// searches. Thread-safe.
Result<RecallResult> Recall(Bank& bank, const RecallRequest& request, const CallOptions& options);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_RECALL_H_
