// How a benchmark ends that cannot go on.
#ifndef KVASIR_TESTS_BENCH_MUST_H_
#define KVASIR_TESTS_BENCH_MUST_H_

#include <errno.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "kvasir/status.h"

namespace kvasir::bench {

[[noreturn]] inline void Die(const Status& status) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, status.message().c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Die(result.status());
  return *std::move(result);
}

inline void Must(const Status& status) {
  if (!status.ok()) Die(status);
}

}  // namespace kvasir::bench

#endif  // KVASIR_TESTS_BENCH_MUST_H_
