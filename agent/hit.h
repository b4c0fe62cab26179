// A candidate and its document as the hit that callers see.
#ifndef KVASIR_AGENT_HIT_H_
#define KVASIR_AGENT_HIT_H_

#include <cstdint>
#include <vector>

#include "agent/bank.h"
#include "agent/search.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "storage/records.h"

namespace kvasir::agent {

/// `document` has text, and the candidate's segment. Score and hop are of the candidate, first hop.
Hit HitOf(storage::Document document, const Candidate& candidate);

/// The candidates as hits of `hop`, in their order. Left out: what was forgotten or edited to fewer
/// segments since it was scored.
Result<std::vector<Hit>> HitsOf(Bank& bank, storage::SpaceId space,
                                std::vector<Candidate> candidates, std::uint32_t hop);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_HIT_H_
