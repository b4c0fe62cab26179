// Attention of one tile of query rows over all of its keys, in one pass: scores of 64 keys at a
// time, running maximum and sum (online softmax), values added as they come. No row of scores
// longer than a tile exists, so that memory is bounded and the keys may come from any number of
// blocks.
//
// Per key and query row: 2 · D flops for the score, 2 · D for the value, one exponential.
// Accumulators are float32; a row's maximum is subtracted before exp, so that the relative error is
// that of the dot products, about 1e-6.
#ifndef KVASIR_COMPUTE_CPU_ATTENTION_INL_H_
#define KVASIR_COMPUTE_CPU_ATTENTION_INL_H_

#include "compute/cpu/kernels.h"
#include "compute/cpu/simd.h"

namespace kvasir::compute::cpu {
namespace {

constexpr float kHidden = -1e30F;  ///< A score that no key has; finite, so that differences are.

/// Columns of a register block: with 6 rows, all but a few of the registers hold sums.
constexpr int kWide = kLanes == 16 ? 4 : 2;
constexpr int kTall = 6;

/// Row k of a packed key tile, or of the values.
struct TileRows {
  const float* tile;
  const float* operator[](std::int64_t k) const { return tile + k * kKeyTile; }
};
struct PointerRows {
  const float* const* rows;
  const float* operator[](std::int64_t k) const { return rows[k]; }
};

/// c[R, C vectors] = (or +=) a[R, depth] · b[depth, C vectors], columns from `column`.
template <int R, int C, typename B>
inline void ProductBlock(const float* a, std::int64_t a_stride, B b, std::int64_t depth,
                         std::int64_t column, bool add, float* c, std::int64_t c_stride) {
  F32 sums[R][C];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) {
      sums[r][v] = add ? Load(c + r * c_stride + column + v * kLanes) : F32{};
    }
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    const float* row = b[k] + column;
    F32 columns[C];
    for (int v = 0; v < C; ++v) columns[v] = Load(row + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const float x = a[r * a_stride + k];
      for (int v = 0; v < C; ++v) sums[r][v] += x * columns[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) Store(sums[r][v], c + r * c_stride + column + v * kLanes);
  }
}

template <int R, typename B>
void ProductRows(const float* a, std::int64_t a_stride, B b, std::int64_t depth,
                 std::int64_t columns, bool add, float* c, std::int64_t c_stride) {
  std::int64_t column = 0;
  for (; column + kWide * kLanes <= columns; column += kWide * kLanes) {
    ProductBlock<R, kWide>(a, a_stride, b, depth, column, add, c, c_stride);
  }
  for (; column + kLanes <= columns; column += kLanes) {
    ProductBlock<R, 1>(a, a_stride, b, depth, column, add, c, c_stride);
  }
  for (; column < columns; ++column) {
    for (int r = 0; r < R; ++r) {
      float sum = add ? c[r * c_stride + column] : 0.0F;
      for (std::int64_t k = 0; k < depth; ++k) sum += a[r * a_stride + k] * b[k][column];
      c[r * c_stride + column] = sum;
    }
  }
}

template <typename B>
void Product(const float* a, std::int64_t a_stride, std::int64_t rows, B b, std::int64_t depth,
             std::int64_t columns, bool add, float* c, std::int64_t c_stride) {
  for (; rows >= kTall; rows -= kTall, a += kTall * a_stride, c += kTall * c_stride) {
    ProductRows<kTall>(a, a_stride, b, depth, columns, add, c, c_stride);
  }
  for (; rows >= 3; rows -= 3, a += 3 * a_stride, c += 3 * c_stride) {
    ProductRows<3>(a, a_stride, b, depth, columns, add, c, c_stride);
  }
  for (; rows > 0; --rows, a += a_stride, c += c_stride) {
    ProductRows<1>(a, a_stride, b, depth, columns, add, c, c_stride);
  }
}

float Dot(const float* a, const float* b, std::int64_t n) {
  F32 sum{};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sum += Load(a + i) * Load(b + i);
  if (i < n) sum += LoadSome(a + i, n - i) * LoadSome(b + i, n - i);
  return Sum(sum);
}

/// scores[rows, kKeyTile] of `count` keys from `first`.
void Score(const AttendTask& task, std::int64_t first, std::int64_t count, float* scores) {
  if (task.tiles != nullptr) {
    Product(task.q, task.head_dim, task.rows, TileRows{task.tiles + first * task.head_dim},
            task.head_dim, kKeyTile, false, scores, kKeyTile);
    return;
  }
  for (std::int64_t j = 0; j < count; ++j) {
    for (std::int64_t r = 0; r < task.rows; ++r) {
      scores[r * kKeyTile + j] =
          Dot(task.q + r * task.head_dim, task.keys[first + j], task.head_dim);
    }
  }
}

/// What a row has seen so far: out holds Σ exp(score - highest) · v, sum Σ exp(score - highest).
struct RunningRow {
  float highest = kHidden;
  float sum = 0;
};

/// Turns the scores of `seen` keys into weights, zeros after them, and rescales what came before.
void Weigh(std::int64_t seen, std::int64_t head_dim, float* scores, RunningRow* row, float* out) {
  for (std::int64_t j = seen; j < kKeyTile; ++j) scores[j] = kHidden;
  F32 highest = Load(scores);
  for (std::int64_t j = kLanes; j < kKeyTile; j += kLanes) highest = Max(highest, Load(scores + j));
  const float tile_highest = Highest(highest);
  if (tile_highest > row->highest) {
    const F32 factor = Exp(Broadcast(row->highest - tile_highest));
    row->sum *= factor[0];
    for (std::int64_t i = 0; i < head_dim; ++i) out[i] *= factor[0];
    row->highest = tile_highest;
  }
  for (std::int64_t j = 0; j < kKeyTile; j += kLanes) {
    Store(Exp(Load(scores + j) - row->highest), scores + j);
  }
  for (std::int64_t j = seen; j < kKeyTile; ++j) scores[j] = 0;
  F32 sum{};
  for (std::int64_t j = 0; j < kKeyTile; j += kLanes) sum += Load(scores + j);
  row->sum += Sum(sum);
}

void Attend(const AttendTask& task) {
  alignas(64) float scores[kQueryTile * kKeyTile];
  RunningRow running[kQueryTile];
  for (std::int64_t i = 0; i < task.rows * task.head_dim; ++i) task.out[i] = 0;
  const std::int64_t keys = task.visible[task.rows - 1];
  for (std::int64_t first = 0; first < keys; first += kKeyTile) {
    const std::int64_t count = keys - first < kKeyTile ? keys - first : kKeyTile;
    Score(task, first, count, scores);
    for (std::int64_t r = 0; r < task.rows; ++r) {
      const std::int64_t left = task.visible[r] - first;
      const std::int64_t seen = left < 0 ? 0 : left < count ? left : count;
      Weigh(seen, task.head_dim, scores + r * kKeyTile, &running[r], task.out + r * task.head_dim);
    }
    Product(scores, kKeyTile, task.rows, PointerRows{task.values + first}, count, task.head_dim,
            true, task.out, task.head_dim);
  }
  for (std::int64_t r = 0; r < task.rows; ++r) {
    const float factor = running[r].sum > 0 ? 1.0F / running[r].sum : 0.0F;
    for (std::int64_t i = 0; i < task.head_dim; ++i) task.out[r * task.head_dim + i] *= factor;
  }
}

/// Four keys at a time are turned in registers, so that the strided stores are of 16 bytes.
void PackKeys(const float* const* keys, std::int64_t count, std::int64_t head_dim, float* tile) {
  std::int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    std::int64_t d = 0;
    for (; d + 4 <= head_dim; d += 4) {
      __m128 a = _mm_loadu_ps(keys[j] + d);
      __m128 b = _mm_loadu_ps(keys[j + 1] + d);
      __m128 c = _mm_loadu_ps(keys[j + 2] + d);
      __m128 e = _mm_loadu_ps(keys[j + 3] + d);
      _MM_TRANSPOSE4_PS(a, b, c, e);
      _mm_storeu_ps(tile + d * kKeyTile + j, a);
      _mm_storeu_ps(tile + (d + 1) * kKeyTile + j, b);
      _mm_storeu_ps(tile + (d + 2) * kKeyTile + j, c);
      _mm_storeu_ps(tile + (d + 3) * kKeyTile + j, e);
    }
    for (; d < head_dim; ++d) {
      for (int i = 0; i < 4; ++i) tile[d * kKeyTile + j + i] = keys[j + i][d];
    }
  }
  for (; j < kKeyTile; ++j) {
    for (std::int64_t d = 0; d < head_dim; ++d) {
      tile[d * kKeyTile + j] = j < count ? keys[j][d] : 0.0F;
    }
  }
}

}  // namespace
}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ATTENTION_INL_H_
