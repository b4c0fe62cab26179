#include "compute/host_memory.h"

#include <cassert>
#include <cstring>
#include <limits>
#include <string>

#include "compute/quant_blocks.h"

namespace kvasir::compute {
namespace {

/// No tensor is longer: keeps every product of two sizes below far from overflow.
constexpr std::int64_t kMaxSide = std::int64_t{1} << 31;

class HostBuffer final : public Buffer {
 public:
  HostBuffer(AlignedArray<float> memory, std::int64_t floats)
      : Buffer(memory.get(), floats), memory_(std::move(memory)) {}

 private:
  AlignedArray<float> memory_;
};

std::string Shape(const HostMatrix& part) {
  return std::string("[") + std::to_string(part.rows) + ", " + std::to_string(part.cols) + "] " +
         std::string(TensorTypeName(part.type));
}

Status CheckPart(const HostMatrix& part, std::int64_t cols) {
  if (part.rows < 1 || part.cols < 1 || part.rows > kMaxSide || part.cols > kMaxSide) {
    return InvalidArgument("matrix part " + Shape(part) + " has no usable shape");
  }
  if (part.cols != cols) {
    return InvalidArgument("matrix part " + Shape(part) + " cannot be stacked on rows of " +
                           std::to_string(cols));
  }
  if (part.cols % BlockElements(part.type) != 0) {
    return InvalidArgument("matrix part " + Shape(part) + " does not end at a block's end");
  }
  const auto row_bytes = static_cast<std::size_t>(RowBytes(part.type, part.cols));
  if (part.bytes.size() / row_bytes != static_cast<std::size_t>(part.rows) ||
      part.bytes.size() % row_bytes != 0) {
    return InvalidArgument("matrix part " + Shape(part) + " comes with " +
                           std::to_string(part.bytes.size()) + " bytes");
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<Buffer>> AllocateHostBuffer(std::int64_t floats) {
  if (floats < 0 || floats > std::numeric_limits<std::int64_t>::max() / 8) {
    return InvalidArgument("a buffer cannot hold " + std::to_string(floats) + " floats");
  }
  auto memory = AllocateAligned<float>(floats);
  if (memory == nullptr) {
    return Unavailable("out of memory: no room for a buffer of " + std::to_string(floats * 4) +
                       " bytes");
  }
  return std::unique_ptr<Buffer>(new HostBuffer(std::move(memory), floats));
}

Result<StackedShape> CheckParts(std::span<const HostMatrix> parts) {
  if (parts.empty()) return InvalidArgument("a matrix needs at least one part");
  StackedShape shape{0, parts.front().cols};
  for (const HostMatrix& part : parts) {
    KVASIR_RETURN_IF_ERROR(CheckPart(part, shape.cols));
    shape.rows += part.rows;
  }
  if (shape.rows > kMaxSide ||
      shape.rows > std::numeric_limits<std::int64_t>::max() / 8 / shape.cols) {
    return InvalidArgument("a stacked matrix of " + std::to_string(shape.rows) +
                           " rows is too large");
  }
  return shape;
}

Status CheckUpdates(const Matrix& base, std::span<const LowRankUpdate> updates) {
  for (const LowRankUpdate& update : updates) {
    KVASIR_RETURN_IF_ERROR(CheckPart(update.a, base.in()));
    KVASIR_RETURN_IF_ERROR(CheckPart(update.b, update.a.rows));
    if (update.first_row < 0 || update.first_row > base.out() - update.b.rows) {
      return InvalidArgument("a low-rank change of " + std::to_string(update.b.rows) +
                             " rows from " + std::to_string(update.first_row) +
                             " on lies outside a matrix of " + std::to_string(base.out()));
    }
  }
  return Status::Ok();
}

Status DequantizeParts(std::span<const HostMatrix> parts, std::span<float> out) {
  for (const HostMatrix& part : parts) {
    const auto row_bytes = static_cast<std::size_t>(RowBytes(part.type, part.cols));
    const auto cols = static_cast<std::size_t>(part.cols);
    for (std::size_t row = 0; row < static_cast<std::size_t>(part.rows); ++row) {
      KVASIR_RETURN_IF_ERROR(DequantizeRow(
          part.type, part.bytes.subspan(row * row_bytes, row_bytes), out.first(cols)));
      out = out.subspan(cols);
    }
  }
  return Status::Ok();
}

void HostStream::Upload(std::span<const float> host, Rows to) {
  assert(host.size() == static_cast<std::size_t>(to.rows * to.cols));
  Copy({host.data(), to.rows, to.cols, to.cols}, to);
}

void HostStream::Download(ConstRows from, std::span<float> host) {
  assert(host.size() == static_cast<std::size_t>(from.rows * from.cols));
  Copy(from, {host.data(), from.rows, from.cols, from.cols});
}

void HostStream::Copy(ConstRows from, Rows to) {
  assert(from.rows == to.rows && from.cols == to.cols);
  const std::size_t row_bytes = static_cast<std::size_t>(from.cols) * sizeof(float);
  if (row_bytes == 0) return;
  for (std::int64_t row = 0; row < from.rows; ++row) {
    std::memcpy(to.data + row * to.stride, from.data + row * from.stride, row_bytes);
  }
}

}  // namespace kvasir::compute
