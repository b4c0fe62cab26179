// What must hold of the store's decoders for any bytes whatever. Each aborts when it does not.
#ifndef KVASIR_TESTS_FUZZ_STORAGE_CHECKS_H_
#define KVASIR_TESTS_FUZZ_STORAGE_CHECKS_H_

#include <cstddef>
#include <span>

namespace kvasir::testing {

/// As a router or KV record (the first byte says which) with a right checksum: what is accepted can
/// be read to the last code and scale, and sealing it again gives the same bytes.
void CheckSegment(std::span<const std::byte> bytes);

/// As a row (the first byte chooses the decoder) with a right checksum: what is accepted is written
/// and read back as the same value.
void CheckRows(std::span<const std::byte> bytes);

/// As a text: terms are never empty and come out the same twice, case folding keeps the number of
/// code points and is stable, a time that can be read is written and read back.
void CheckText(std::span<const std::byte> bytes);

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_FUZZ_STORAGE_CHECKS_H_
