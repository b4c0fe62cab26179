// Hits of a question that asks for several things: what repeats better ones makes room.
#ifndef KVASIR_AGENT_SPREAD_H_
#define KVASIR_AGENT_SPREAD_H_

#include <string_view>
#include <vector>

#include "agent/fusion.h"
#include "agent/search.h"

namespace kvasir::agent {

/// Orders `ranked` (best first) anew: one after the other the best of what is left is taken, and
/// from then on a term of the question counts less for the others, the more of it the taken one
/// has said (maximal marginal relevance, Carbonell and Goldstein 1998, over terms instead of whole
/// texts). The best one and its score stay; no score grows; scores keep descending. A question that
/// is short or joins nothing ("and", "while", a comma…) asks for one thing: for it all stays as it
/// is. Cost: tens of microseconds.
void Spread(const FusionWeights& weights, std::string_view question,
            std::vector<Candidate>* ranked);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SPREAD_H_
