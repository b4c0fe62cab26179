// Norms, rotation, gating and pooling: one pass over memory each, so that bandwidth binds them.
#ifndef KVASIR_COMPUTE_CPU_ELEMENTWISE_INL_H_
#define KVASIR_COMPUTE_CPU_ELEMENTWISE_INL_H_

#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

float SquareRoot(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

float SumOfSquares(const float* x, std::int64_t n) {
  F32 sum0{};
  F32 sum1{};
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const F32 a = Load(x + i);
    const F32 b = Load(x + i + kLanes);
    sum0 += a * a;
    sum1 += b * b;
  }
  for (; i < n; i += kLanes) {
    const F32 a = LoadSome(x + i, n - i < kLanes ? n - i : kLanes);
    sum0 += a * a;
  }
  return Sum(sum0 + sum1);
}

void RmsNorm(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  const float factor = 1.0F / SquareRoot(SumOfSquares(x, n) / static_cast<float>(n) + eps);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(Load(weight + i) * (Load(x + i) * factor), y + i);
  for (; i < n; ++i) y[i] = weight[i] * (x[i] * factor);
}

F32 SiluTimes(F32 gate, F32 up) { return gate / (1.0F + Exp(-gate)) * up; }

void SiluMul(const float* gate, const float* up, std::int64_t n, float* y) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(SiluTimes(Load(gate + i), Load(up + i)), y + i);
  if (i < n) StoreSome(SiluTimes(LoadSome(gate + i, n - i), LoadSome(up + i, n - i)), y + i, n - i);
}

void Add(const float* bias, std::int64_t n, float* x) {
  for (std::int64_t i = 0; i < n; ++i) x[i] += bias[i];
}

void Rope(float* head, const float* cosines, const float* sines, std::int64_t half,
          bool interleaved) {
  const std::int64_t step = interleaved ? 2 : 1;
  const std::int64_t apart = interleaved ? 1 : half;
  std::int64_t i = 0;
  if (!interleaved) {
    for (; i + kLanes <= half; i += kLanes) {
      const F32 c = Load(cosines + i);
      const F32 s = Load(sines + i);
      const F32 a = Load(head + i);
      const F32 b = Load(head + half + i);
      Store(a * c - b * s, head + i);
      Store(b * c + a * s, head + half + i);
    }
  }
  for (; i < half; ++i) {
    const float a = head[i * step];
    const float b = head[i * step + apart];
    head[i * step] = a * cosines[i] - b * sines[i];
    head[i * step + apart] = b * cosines[i] + a * sines[i];
  }
}

void Mean(const float* x, std::int64_t stride, std::int64_t count, std::int64_t n, float* out) {
  const float divisor = static_cast<float>(count);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    F32 sum{};
    for (std::int64_t row = 0; row < count; ++row) sum += Load(x + row * stride + i);
    Store(sum / divisor, out + i);
  }
  for (; i < n; ++i) {
    float sum = 0;
    for (std::int64_t row = 0; row < count; ++row) sum += x[row * stride + i];
    out[i] = sum / divisor;
  }
}

void Unit(float* x, std::int64_t n) {
  const float norm = SquareRoot(SumOfSquares(x, n));
  const float divisor = norm > 1e-12F ? norm : 1e-12F;
  for (std::int64_t i = 0; i < n; ++i) x[i] /= divisor;
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ELEMENTWISE_INL_H_
