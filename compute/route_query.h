// Question vectors turned into what the routing kernels take.
#ifndef KVASIR_COMPUTE_ROUTE_QUERY_H_
#define KVASIR_COMPUTE_ROUTE_QUERY_H_

#include <cstdint>
#include <vector>

#include "compute/cpu/kernels.h"
#include "compute/route.h"
#include "compute/route_page.h"

namespace kvasir::compute {

/// How many steps a query's largest magnitude is cut into: as many as `bits` gives, yet so few that
/// the dot product of a query with a key cannot leave int32.
std::int64_t QuerySteps(QueryBits bits, std::int64_t dim);

/// Workspace; one per thread, kept between scans.
class QueryPreparer {
 public:
  /// The result points into this object and into `query`. Mean and last become one vector: the mean
  /// of dot products is the dot product of the mean.
  PreparedQuery Prepare(const RouteQuery& query, const RouteShape& shape,
                        const cpu::Kernels& kernels);

 private:
  void Reduce(const RouteQuery& query, std::int64_t dim);
  void Quantise(const RouteQuery& query, const RouteShape& shape, const cpu::Kernels& kernels);

  std::vector<float> vectors_;         ///< [count, dim]
  std::vector<std::int16_t> plain_;    ///< [dim]
  std::vector<std::int16_t> codes_;    ///< [count, RouteWidth(dim)], in the kernels' order
  std::vector<std::int32_t> offsets_;  ///< [count]
  std::vector<float> scales_;          ///< [count]
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_QUERY_H_
