// Memory Interleave as published (msa.md §6), with a checkpoint that was trained to do it.
#ifndef KVASIR_AGENT_INTERLEAVE_H_
#define KVASIR_AGENT_INTERLEAVE_H_

#include "agent/bank.h"
#include "agent/reading.h"
#include "agent/reasoner.h"
#include "agent/retrieval_frame.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

struct Interleaved {
  Reading reading;
  ReasonerAnswer answer;
};

/// Round by round: the context so far is a prefill, each routed layer selecting its own memories;
/// the model generates numbers of those that routing offered and no others (a trie over their
/// tokens); their original texts are appended, ascending, and route in the next round together with
/// the question. Ends with the end mark, with nothing left to offer, after request.max_hops rounds,
/// or when the context is full; then the question is appended once more and answered. At most
/// request.documents_per_hop numbers a round, each once. A memory's text is that of its segment
/// that routing offered. `reply` says how to answer; its messages are not read.
///
/// Cost: a prefill of the whole context per round, one scan of the space per routed layer in each,
/// one pass per generated token. Waits for other answers: there is one context. Nothing is read and
/// no answer generated when the space has nothing that the request allows.
Result<Interleaved> Interleave(Bank& bank, storage::SpaceId space, const AskRequest& request,
                               const RetrievalFrame& frame, const ReasonerRequest& reply);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_INTERLEAVE_H_
