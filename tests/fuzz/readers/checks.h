// What must hold of the readers of requests, rows and filters for any bytes whatever. Each aborts
// when it does not.
#ifndef KVASIR_TESTS_FUZZ_READERS_CHECKS_H_
#define KVASIR_TESTS_FUZZ_READERS_CHECKS_H_

#include <cstddef>
#include <span>

namespace kvasir::testing {

/// As the head of an HTTP request: what is accepted is within every bound, nothing in it holds a
/// control byte, fields that may stand once do. What is refused has a 4xx or 505 and a reason.
void CheckHead(std::span<const std::byte> bytes);

/// As a request's JSON body: what is accepted is written and read back as the same value.
void CheckBody(std::span<const std::byte> bytes);

/// As a filter and as metadata: what is accepted is written and read back, within its bounds; a
/// filter that compiles can be asked of a record, and NOT turns its answer round.
void CheckFilter(std::span<const std::byte> bytes);

/// As a line of `remember --format jsonl` and as a time.
void CheckRow(std::span<const std::byte> bytes);

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_FUZZ_READERS_CHECKS_H_
