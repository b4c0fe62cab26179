// The score of one chunk, in every combination of reductions that msa.md §4 knows.
#ifndef KVASIR_COMPUTE_REFERENCE_ROUTE_H_
#define KVASIR_COMPUTE_REFERENCE_ROUTE_H_

#include <cstdint>
#include <span>

#include "compute/cpu/kernels.h"
#include "compute/route.h"

namespace kvasir::compute::reference {

/// dot(query of head h, key of h's group) reduced over heads, then over tokens; in double.
/// queries [n, heads * head_dim], key [kv_heads * head_dim].
double RouteChunk(std::span<const float> queries, const RouteHeads& heads, QueryReduce reduce,
                  std::span<const float> key);

/// What the kernels' route_sketch estimates for slot `slot` of one block of sketches: the same
/// codes summed one by one, the rest in double.
double EstimateSketch(const std::uint8_t* block, float gain, std::int64_t quads,
                      const cpu::SketchQueries& queries, std::int64_t slot);

}  // namespace kvasir::compute::reference

#endif  // KVASIR_COMPUTE_REFERENCE_ROUTE_H_
