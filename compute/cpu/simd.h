// A vector of float32 as wide as the instructions that the including file is compiled for. Each
// kernels_*.cc compiles the same sources with other flags; everything here is in an anonymous
// namespace and nothing of the standard library's templates is used, so that no function compiled
// for a newer CPU can be the one that the linker keeps for all.
#ifndef KVASIR_COMPUTE_CPU_SIMD_H_
#define KVASIR_COMPUTE_CPU_SIMD_H_

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace kvasir::compute::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

/// The compilers' own vectors: + - * / and comparisons work lane by lane.
typedef float F32 __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t I32 __attribute__((vector_size(kLanes * 4)));
typedef std::int16_t I16 __attribute__((vector_size(kLanes * 4)));

/// How far ahead what a scan reads is fetched: a few thousand cycles of work.
[[maybe_unused]] constexpr std::int64_t kFetchAhead = 4096;

/// Asks for the cache line at `at`, which need not be memory of this process.
[[maybe_unused]] inline void Fetch(const void* at) {
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0);
}

[[maybe_unused]] inline F32 Load(const float* from) {
  F32 v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
[[maybe_unused]] inline void Store(F32 v, float* to) { std::memcpy(to, &v, sizeof v); }
[[maybe_unused]] inline F32 Broadcast(float x) { return F32{} + x; }
[[maybe_unused]] inline F32 Max(F32 a, F32 b) { return a > b ? a : b; }
[[maybe_unused]] inline F32 Min(F32 a, F32 b) { return a < b ? a : b; }

/// The first `count` lanes, zeros after them.
[[maybe_unused]] inline F32 LoadSome(const float* from, std::int64_t count) {
  F32 v{};
  std::memcpy(&v, from, static_cast<std::size_t>(count) * sizeof(float));
  return v;
}
[[maybe_unused]] inline void StoreSome(F32 v, float* to, std::int64_t count) {
  std::memcpy(to, &v, static_cast<std::size_t>(count) * sizeof(float));
}

[[maybe_unused]] inline float Sum(F32 v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps(v);
#else
#if defined(__AVX2__)
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
#else
  __m128 half = v;
#endif
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
#endif
}

[[maybe_unused]] inline float Highest(F32 v) {
  float highest = v[0];
  for (int i = 1; i < kLanes; ++i) highest = v[i] > highest ? v[i] : highest;
  return highest;
}

/// e^x, relative error ≤ 2e-7 (Cephes' polynomial on [-ln2/2, ln2/2], scaled by a power of two);
/// x is held in [-87.3, 88.3], where the result is a normal number.
[[maybe_unused]] inline F32 Exp(F32 x) {
  x = Min(Max(x, Broadcast(-87.3F)), Broadcast(88.3F));
  constexpr float kRound = 12582912.0F;  // 1.5 · 2^23: adding it leaves no bits below one.
  const F32 shifted = x * 1.44269504F + kRound;
  const F32 n = shifted - kRound;
  const F32 r = x - n * 0.693359375F - n * -2.12194440e-4F;
  F32 p = Broadcast(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const I32 power = (__builtin_convertvector(n, I32) + 127) << 23;
  F32 scale;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

/// 2 · kLanes bytes, widened to 16 bits.
[[maybe_unused]] inline I16 WidenBytes(const std::uint8_t* from) {
#if defined(__AVX512F__)
  return reinterpret_cast<I16>(
      _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__AVX2__)
  return reinterpret_cast<I16>(
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
  return reinterpret_cast<I16>(
      _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#endif
}

/// a[2i] · b[2i] + a[2i+1] · b[2i+1] in each 32-bit lane i.
[[maybe_unused]] inline I32 MultiplyPairs(I16 a, I16 b) {
#if defined(__AVX512F__)
  return reinterpret_cast<I32>(
      _mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<I32>(
      _mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return reinterpret_cast<I32>(
      _mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#endif
}

/// The same two 16-bit numbers in every 32-bit lane.
[[maybe_unused]] inline I16 BroadcastPair(const std::int16_t* pair) {
  std::int32_t both;
  std::memcpy(&both, pair, sizeof both);
  return reinterpret_cast<I16>(I32{} + both);
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_SIMD_H_
