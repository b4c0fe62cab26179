// The score of one chunk, in every combination of reductions that msa.md §4 knows.
#ifndef KVASIR_COMPUTE_REFERENCE_ROUTE_H_
#define KVASIR_COMPUTE_REFERENCE_ROUTE_H_

#include <span>

#include "compute/route.h"

namespace kvasir::compute::reference {

/// dot(query of head h, key of h's group) reduced over heads, then over tokens; in double.
/// queries [n, heads * head_dim], key [kv_heads * head_dim].
double RouteChunk(std::span<const float> queries, const RouteHeads& heads, QueryReduce reduce,
                  std::span<const float> key);

}  // namespace kvasir::compute::reference

#endif  // KVASIR_COMPUTE_REFERENCE_ROUTE_H_
