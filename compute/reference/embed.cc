#include <algorithm>
#include <cassert>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {

void Embed(ConstRows table, std::span<const std::int32_t> tokens, Rows out) {
  for (std::int64_t t = 0; t < out.rows; ++t) {
    const std::int32_t token = tokens[static_cast<std::size_t>(t)];
    assert(token >= 0 && token < table.rows);
    std::copy_n(table.data + token * table.stride, table.cols, out.data + t * out.stride);
  }
}

}  // namespace kvasir::compute::reference
