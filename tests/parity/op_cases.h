// One list of ops and shapes: the parity test runs each on two backends and compares, the benchmark
// runs the larger ones on one and times them.
#ifndef KVASIR_TESTS_PARITY_OP_CASES_H_
#define KVASIR_TESTS_PARITY_OP_CASES_H_

#include <functional>
#include <string>
#include <vector>

#include "compute/backend.h"

namespace kvasir::compute::parity {

/// An op with its inputs on one backend.
struct PreparedOp {
  std::function<void()> run;
  std::function<std::vector<float>()> output;  ///< After run: what it wrote, strides taken out.
};

struct OpCase {
  std::string name;  ///< Letters, digits and underscores.
  std::function<PreparedOp(Backend&, Stream&)> prepare;
  /// |a - b| ≤ tolerance · largest magnitude of the reference's output.
  double tolerance = 1e-5;
  double flops = 0;    ///< Of one run.
  double bytes = 0;    ///< That one run must read at least; for ops bound by memory.
  bool timed = false;  ///< Also a benchmark.
};

/// Inputs are random but the same in every call.
std::vector<OpCase> OpCases();

}  // namespace kvasir::compute::parity

#endif  // KVASIR_TESTS_PARITY_OP_CASES_H_
