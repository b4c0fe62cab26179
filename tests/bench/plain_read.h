// Plain reads, the floors beside which loading is measured.
#ifndef KVASIR_TESTS_BENCH_PLAIN_READ_H_
#define KVASIR_TESTS_BENCH_PLAIN_READ_H_

#include <string>

namespace kvasir::bench {

/// Asks the system to forget what it has cached of the files in and below `folder`.
void DropFromPageCache(const std::string& folder);
/// Reads every table file in and below `folder`, from beginning to end, 2 MiB at a time; bytes per
/// second.
double ReadFiles(const std::string& folder);
/// One thread reads memory that no cache holds; bytes per second.
double ReadMemory();

}  // namespace kvasir::bench

#endif  // KVASIR_TESTS_BENCH_PLAIN_READ_H_
