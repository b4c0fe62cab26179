// y = x · Wᵀ in float32 for matrices too small to be worth more (routers, low-rank changes): W in
// panels of kF32Panel outputs, [in][kF32Panel], so that a register block of kF32Rows rows reads two
// vectors of weights per input. Accumulators are float32, summed input by input.
#ifndef KVASIR_COMPUTE_CPU_F32_MATMUL_INL_H_
#define KVASIR_COMPUTE_CPU_F32_MATMUL_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

constexpr int kF32Vectors = 2;
constexpr std::int64_t kF32Panel = kF32Vectors * kLanes;
/// Rows of a register block: 24 sums of 32 registers, or 12 of 16.
constexpr int kF32Rows = kLanes == 16 ? 12 : 6;

/// y[R, kF32Panel] = (or +=) x[R, in] · panel.
template <int R>
inline void F32Block(const float* panel, std::int64_t in, const float* x, std::int64_t x_stride,
                     float* y, std::int64_t y_stride, bool accumulate) {
  F32 sums[R][kF32Vectors];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < kF32Vectors; ++v) {
      sums[r][v] = accumulate ? Load(y + r * y_stride + v * kLanes) : F32{};
    }
  }
  for (std::int64_t i = 0; i < in; ++i) {
    F32 w[kF32Vectors];
    for (int v = 0; v < kF32Vectors; ++v) w[v] = Load(panel + i * kF32Panel + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const float a = x[r * x_stride + i];
      for (int v = 0; v < kF32Vectors; ++v) sums[r][v] += a * w[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < kF32Vectors; ++v) Store(sums[r][v], y + r * y_stride + v * kLanes);
  }
}

/// The same for the last, narrower panel: `width` columns of y.
template <int R>
void F32Edge(const float* panel, std::int64_t in, const float* x, std::int64_t x_stride, float* y,
             std::int64_t y_stride, std::int64_t width, bool accumulate) {
  alignas(64) float sums[R * kF32Panel];
  F32Block<R>(panel, in, x, x_stride, sums, kF32Panel, false);
  for (int r = 0; r < R; ++r) {
    for (std::int64_t i = 0; i < width; ++i) {
      float& to = y[r * y_stride + i];
      to = accumulate ? to + sums[r * kF32Panel + i] : sums[r * kF32Panel + i];
    }
  }
}

template <int R>
void F32Rows(const F32Panels& w, std::int64_t panel, const float* x, std::int64_t x_stride,
             float* y, std::int64_t y_stride, bool accumulate) {
  const float* weights = w.data + panel * w.in * kF32Panel;
  float* to = y + panel * kF32Panel;
  const std::int64_t width = w.out - panel * kF32Panel;
  if (width >= kF32Panel) {
    F32Block<R>(weights, w.in, x, x_stride, to, y_stride, accumulate);
  } else {
    F32Edge<R>(weights, w.in, x, x_stride, to, y_stride, width, accumulate);
  }
}

void F32MatMul(const F32Panels& w, std::int64_t begin, std::int64_t end, const float* x,
               std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride,
               bool accumulate) {
  for (std::int64_t p = begin; p < end; ++p) {
    const float* from = x;
    float* to = y;
    for (std::int64_t left = rows; left > 0;) {
      const int run = left >= kF32Rows ? kF32Rows : left >= 4 ? 4 : left >= 2 ? 2 : 1;
      switch (run) {
        case kF32Rows:
          F32Rows<kF32Rows>(w, p, from, x_stride, to, y_stride, accumulate);
          break;
        case 4:
          F32Rows<4>(w, p, from, x_stride, to, y_stride, accumulate);
          break;
        case 2:
          F32Rows<2>(w, p, from, x_stride, to, y_stride, accumulate);
          break;
        default:
          F32Rows<1>(w, p, from, x_stride, to, y_stride, accumulate);
      }
      from += run * x_stride;
      to += run * y_stride;
      left -= run;
    }
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_F32_MATMUL_INL_H_
