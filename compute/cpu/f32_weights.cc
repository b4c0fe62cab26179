#include "compute/cpu/f32_weights.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace kvasir::compute::cpu {
namespace {

/// Products below which waking other threads costs more than it saves.
constexpr std::int64_t kSerialProducts = 1 << 19;
/// Rows that go over a panel together: at 576 inputs they stay in a core's second-level cache.
constexpr std::int64_t kRowsPerPass = 96;

}  // namespace

Result<F32Weights> F32Weights::Make(std::span<const HostMatrix> parts, const Kernels& kernels) {
  KVASIR_ASSIGN_OR_RETURN(const StackedShape shape, CheckParts(parts));
  std::vector<float> rows(static_cast<std::size_t>(shape.rows * shape.cols));
  KVASIR_RETURN_IF_ERROR(DequantizeParts(parts, rows));
  if (!std::all_of(rows.begin(), rows.end(), [](float x) { return std::isfinite(x); })) {
    return Corruption("a weight is not a finite number");
  }
  F32Weights weights(kernels);
  const std::int64_t width = kernels.f32_panel;
  const std::int64_t panels = (shape.rows + width - 1) / width;
  weights.data_ = AllocateAligned<float>(panels * shape.cols * width);
  if (weights.data_ == nullptr) return Unavailable("out of memory: no room for a weight matrix");
  weights.panels_ = {.data = weights.data_.get(), .in = shape.cols, .out = shape.rows};
  float* to = weights.data_.get();
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    for (std::int64_t i = 0; i < shape.cols; ++i) {
      for (std::int64_t lane = 0; lane < width; ++lane) {
        const std::int64_t row = panel * width + lane;
        *to++ = row < shape.rows ? rows[static_cast<std::size_t>(row * shape.cols + i)] : 0.0F;
      }
    }
  }
  return weights;
}

void F32Weights::Multiply(ConstRows x, Rows y, bool accumulate) const {
  const std::int64_t panels = (out() + kernels_->f32_panel - 1) / kernels_->f32_panel;
  kernels_->f32_matmul(panels_, 0, panels, x.data, x.stride, x.rows, y.data, y.stride, accumulate);
}

void F32Weights::Multiply(ConstRows x, Rows y, bool accumulate, int threads) const {
  if (threads == 1 || x.rows * in() * out() < kSerialProducts) {
    Multiply(x, y, accumulate);
    return;
  }
  const std::int64_t panels = (out() + kernels_->f32_panel - 1) / kernels_->f32_panel;
#pragma omp parallel num_threads(threads)
  for (std::int64_t first = 0; first < x.rows; first += kRowsPerPass) {
    const std::int64_t rows = std::min(kRowsPerPass, x.rows - first);
#pragma omp for schedule(static) nowait
    for (std::int64_t panel = 0; panel < panels; ++panel) {
      kernels_->f32_matmul(panels_, panel, panel + 1, x.data + first * x.stride, x.stride, rows,
                           y.data + first * y.stride, y.stride, accumulate);
    }
  }
}

void F32Weights::ReadRow(std::int64_t row, float* to) const {
  const std::int64_t width = kernels_->f32_panel;
  const float* from = data_.get() + row / width * width * in() + row % width;
  for (std::int64_t i = 0; i < in(); ++i) to[i] = from[i * width];
}

}  // namespace kvasir::compute::cpu
