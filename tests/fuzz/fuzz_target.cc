// libFuzzer's entry point for the check that the build names.
#include <cstddef>
#include <cstdint>
#include <span>

namespace kvasir::testing {
void KVASIR_FUZZ_CHECK(std::span<const std::byte> bytes);
}  // namespace kvasir::testing

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kvasir::testing::KVASIR_FUZZ_CHECK(std::as_bytes(std::span(data, size)));
  return 0;
}
