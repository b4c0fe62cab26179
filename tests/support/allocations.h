// How often something allocates. Counted are operator new in all its forms, in this process, on
// every thread; not what C libraries take by malloc (libgomp keeps its teams). A test that uses
// this links allocations.cc, which replaces the program's operator new.
#ifndef KVASIR_TESTS_SUPPORT_ALLOCATIONS_H_
#define KVASIR_TESTS_SUPPORT_ALLOCATIONS_H_

#include <cstdint>

namespace kvasir::test {

void StartCounting();
/// Allocations since StartCounting.
std::int64_t StopCounting();

/// How often `work` allocates when it is done a third time.
template <typename Work>
std::int64_t AllocationsOnceWarm(Work work) {
  work();
  work();
  StartCounting();
  work();
  return StopCounting();
}

}  // namespace kvasir::test

#endif  // KVASIR_TESTS_SUPPORT_ALLOCATIONS_H_
