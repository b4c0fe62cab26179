// libFuzzer's entry point for the check that the build names.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/model_files/checks.h"

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kvasir::testing::KVASIR_FUZZ_CHECK(std::as_bytes(std::span(data, size)));
  return 0;
}
