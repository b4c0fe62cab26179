#include "tests/parity/inputs.h"

#include <cstring>
#include <stdexcept>

#include "compute/quant_blocks.h"

namespace kvasir::compute::parity {
namespace {

void PutHalf(float value, std::byte* to) {
  const std::uint16_t half = FloatToHalf(value);
  std::memcpy(to, &half, sizeof half);
}

/// Where a block's f16 scales lie; the rest of a block may hold any bits.
void PlaceScales(TensorType type, std::byte* block) {
  constexpr float kScale = 0.01F;
  switch (type) {
    case TensorType::kQ4_1:
    case TensorType::kQ5_1:
    case TensorType::kQ4_K:
    case TensorType::kQ5_K:
      PutHalf(kScale, block);
      PutHalf(-7 * kScale, block + 2);
      return;
    case TensorType::kQ6_K:
      PutHalf(kScale / 64, block + 208);
      return;
    default:
      PutHalf(kScale, block);
  }
}

void FillBlocks(TensorType type, std::mt19937* random, std::vector<std::byte>* bytes) {
  for (std::byte& byte : *bytes) byte = static_cast<std::byte>((*random)());
  const auto step = static_cast<std::size_t>(BlockBytes(type));
  for (std::size_t at = 0; at < bytes->size(); at += step) PlaceScales(type, bytes->data() + at);
}

}  // namespace

Tensor::Tensor(Backend& backend, Stream& stream, std::int64_t rows, std::int64_t cols,
               std::uint32_t seed, std::int64_t gap) {
  auto buffer = backend.Allocate(rows * (cols + gap));
  if (!buffer.ok()) throw std::runtime_error(buffer.status().message());
  buffer_ = std::move(buffer).value();
  view_ = {buffer_->data(), rows, cols, cols + gap};
  const std::vector<float> values = Normal(rows * (cols + gap), seed);
  stream.Upload(values, buffer_->View(rows, cols + gap));
}

std::vector<float> Tensor::Read(Stream& stream) const {
  std::vector<float> values(static_cast<std::size_t>(view_.rows * view_.cols));
  stream.Download(view_, values);
  if (const Status status = stream.Synchronize(); !status.ok()) {
    throw std::runtime_error(status.message());
  }
  return values;
}

std::shared_ptr<FileMatrix> RandomMatrix(TensorType type, std::int64_t rows, std::int64_t cols,
                                         std::uint32_t seed) {
  auto matrix = std::make_shared<FileMatrix>();
  matrix->bytes.resize(static_cast<std::size_t>(rows * RowBytes(type, cols)));
  if (type == TensorType::kF32) {
    const std::vector<float> values = Normal(rows * cols, seed);
    std::memcpy(matrix->bytes.data(), values.data(), matrix->bytes.size());
  } else {
    std::mt19937 random(seed);
    FillBlocks(type, &random, &matrix->bytes);
  }
  matrix->host = {type, rows, cols, matrix->bytes};
  return matrix;
}

}  // namespace kvasir::compute::parity
