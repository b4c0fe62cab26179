// A candidate and its document as the hit that callers see.
#ifndef KVASIR_AGENT_HIT_H_
#define KVASIR_AGENT_HIT_H_

#include "agent/search.h"
#include "kvasir/requests.h"
#include "storage/records.h"

namespace kvasir::agent {

/// `document` has text, and the candidate's segment. Score and hop are of the candidate, first hop.
Hit HitOf(storage::Document document, const Candidate& candidate);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_HIT_H_
