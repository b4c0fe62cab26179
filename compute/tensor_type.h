// The element types of tensors, plain and quantised in blocks, and how many bytes they take.
#ifndef KVASIR_COMPUTE_TENSOR_TYPE_H_
#define KVASIR_COMPUTE_TENSOR_TYPE_H_

#include <cstdint>
#include <string_view>

namespace kvasir::compute {

/// The numbers are ours, explicit and final (the model's fingerprint hashes them). The quantised
/// types carry GGUF's names: a row is cut into blocks of BlockElements() numbers, each stored as
/// BlockBytes() bytes, little endian (layouts: quant_blocks.h).
enum class TensorType : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kI8 = 3,
  kI32 = 4,
  kQ8_0 = 16,
  kQ4_0 = 17,
  kQ4_1 = 18,
  kQ5_0 = 19,
  kQ5_1 = 20,
  kQ4_K = 21,
  kQ5_K = 22,
  kQ6_K = 23,
};

/// Numbers in one block: 1 for the plain types, 32 or 256 for the quantised ones.
constexpr int64_t BlockElements(TensorType type) {
  switch (type) {
    case TensorType::kF32:
    case TensorType::kF16:
    case TensorType::kBF16:
    case TensorType::kI8:
    case TensorType::kI32:
      return 1;
    case TensorType::kQ8_0:
    case TensorType::kQ4_0:
    case TensorType::kQ4_1:
    case TensorType::kQ5_0:
    case TensorType::kQ5_1:
      return 32;
    case TensorType::kQ4_K:
    case TensorType::kQ5_K:
    case TensorType::kQ6_K:
      return 256;
  }
  return 1;
}

/// Bytes of one block. f16 scales count 2; the terms follow the order of the fields.
constexpr int64_t BlockBytes(TensorType type) {
  switch (type) {
    case TensorType::kF32:
    case TensorType::kI32:
      return 4;
    case TensorType::kF16:
    case TensorType::kBF16:
      return 2;
    case TensorType::kI8:
      return 1;
    case TensorType::kQ8_0:
      return 2 + 32;
    case TensorType::kQ4_0:
      return 2 + 16;
    case TensorType::kQ4_1:
      return 2 + 2 + 16;
    case TensorType::kQ5_0:
      return 2 + 4 + 16;
    case TensorType::kQ5_1:
      return 2 + 2 + 4 + 16;
    case TensorType::kQ4_K:
      return 2 + 2 + 12 + 128;
    case TensorType::kQ5_K:
      return 2 + 2 + 12 + 32 + 128;
    case TensorType::kQ6_K:
      return 128 + 64 + 16 + 2;
  }
  return 1;
}

/// Whether the type is stored in blocks of more than one number.
constexpr bool IsQuantised(TensorType type) { return BlockElements(type) > 1; }

/// Bytes of a row of `elements` numbers; `elements` must be a multiple of BlockElements(type).
constexpr int64_t RowBytes(TensorType type, int64_t elements) {
  return elements / BlockElements(type) * BlockBytes(type);
}

/// "F32", "Q4_K", …: the names that GGUF tools print.
constexpr std::string_view TensorTypeName(TensorType type) {
  switch (type) {
    case TensorType::kF32:
      return "F32";
    case TensorType::kF16:
      return "F16";
    case TensorType::kBF16:
      return "BF16";
    case TensorType::kI8:
      return "I8";
    case TensorType::kI32:
      return "I32";
    case TensorType::kQ8_0:
      return "Q8_0";
    case TensorType::kQ4_0:
      return "Q4_0";
    case TensorType::kQ4_1:
      return "Q4_1";
    case TensorType::kQ5_0:
      return "Q5_0";
    case TensorType::kQ5_1:
      return "Q5_1";
    case TensorType::kQ4_K:
      return "Q4_K";
    case TensorType::kQ5_K:
      return "Q5_K";
    case TensorType::kQ6_K:
      return "Q6_K";
  }
  return "?";
}

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_TENSOR_TYPE_H_
