// What must hold for any bytes whatever. Each aborts when it does not.
#ifndef KVASIR_TESTS_FUZZ_MODEL_FILES_CHECKS_H_
#define KVASIR_TESTS_FUZZ_MODEL_FILES_CHECKS_H_

#include <cstddef>
#include <span>

namespace kvasir::testing {

/// As a GGUF file: what opens has tensors that can be read to the last byte, and its configuration
/// and tokenizer are used or refused.
void CheckGguf(std::span<const std::byte> bytes);

/// As a safetensors file: what opens can be read to the last byte.
void CheckSafetensors(std::span<const std::byte> bytes);

/// As config.json and as tokenizer.json.
void CheckJson(std::span<const std::byte> bytes);

/// As text, for each pre-tokenizer: spans cover it, decoding gives it back, no control token comes
/// out unasked, and streaming agrees. Text that is not UTF-8 is refused.
void CheckTokenizer(std::span<const std::byte> bytes);

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_FUZZ_MODEL_FILES_CHECKS_H_
