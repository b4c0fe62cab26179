#include "compute/cpu/attention.h"

#include <omp.h>

#include <algorithm>

namespace kvasir::compute::cpu {
namespace {

/// Query rows from which packing the keys pays for itself.
constexpr std::int64_t kPackRows = 12;
/// Products below which waking other threads costs more than it saves.
constexpr std::int64_t kSerialProducts = 1 << 16;

constexpr std::int64_t CeilDivide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t KeyCount(const AttentionSequence& sequence) {
  std::int64_t keys = sequence.self.k.rows;
  for (const KeyValues& block : sequence.memory) keys += block.k.rows;
  return keys;
}

/// The sequence to which element `index` of a running total belongs.
template <typename P, typename Member>
std::int64_t Owner(const P* places, std::int64_t count, std::int64_t index, Member first) {
  const P* after = std::upper_bound(
      places, places + count, index,
      [first](std::int64_t value, const P& place) { return value < place.*first; });
  return after - places - 1;
}

}  // namespace

Attention::Totals Attention::Plan(std::span<const AttentionSequence> sequences,
                                  const AttentionShape& shape) {
  Totals totals;
  const std::int64_t group = shape.heads / shape.kv_heads;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::int64_t keys = KeyCount(sequences[s]);
    const std::int64_t rows = sequences[s].query_count * group;
    const bool packed = rows >= kPackRows;
    places_.data()[s] = {totals.keys, keys, packed ? totals.tiles : -1, totals.tasks};
    totals.keys += keys;
    totals.tiles += packed ? CeilDivide(keys, kKeyTile) : 0;
    totals.tasks += CeilDivide(rows, kQueryTile) * shape.kv_heads;
    totals.products += rows * keys * shape.kv_heads * shape.head_dim;
  }
  return totals;
}

void Attention::ListKeys(const AttentionSequence& sequence, const Place& place,
                         const AttentionShape& shape) {
  for (std::int64_t head = 0; head < shape.kv_heads; ++head) {
    const float** k = keys_.data() + place.first_key * shape.kv_heads + head * place.keys;
    const float** v = values_.data() + place.first_key * shape.kv_heads + head * place.keys;
    const auto append = [&](const KeyValues& block) {
      for (std::int64_t row = 0; row < block.k.rows; ++row) {
        *k++ = block.k.data + row * block.k.stride + head * shape.head_dim;
        *v++ = block.v.data + row * block.v.stride + head * shape.head_dim;
      }
    };
    for (const KeyValues& block : sequence.memory) append(block);
    append(sequence.self);
  }
}

/// Tiles of a sequence are numbered over its key-value heads.
void Attention::PackTile(const Place& place, const AttentionShape& shape, std::int64_t tile) {
  const std::int64_t per_head = CeilDivide(place.keys, kKeyTile);
  const std::int64_t first = tile % per_head * kKeyTile;
  const float* const* keys =
      keys_.data() + place.first_key * shape.kv_heads + tile / per_head * place.keys + first;
  const std::int64_t at = place.first_tile * shape.kv_heads + tile;
  kernels_.pack_keys(keys, std::min(kKeyTile, place.keys - first), shape.head_dim,
                     tiles_.data() + at * kKeyTile * shape.head_dim);
}

/// Query rows of a key-value head are numbered token by token, its heads beside each other.
void Attention::RunTask(ConstRows q, const AttentionSequence& sequence, const Place& place,
                        const AttentionShape& shape, std::int64_t task, float* workspace,
                        Rows out) {
  const std::int64_t group = shape.heads / shape.kv_heads;
  const std::int64_t dim = shape.head_dim;
  const std::int64_t all_rows = sequence.query_count * group;
  const std::int64_t tasks_per_head = CeilDivide(all_rows, kQueryTile);
  const std::int64_t head = task / tasks_per_head;
  const std::int64_t first_row = task % tasks_per_head * kQueryTile;
  const std::int64_t rows = std::min(kQueryTile, all_rows - first_row);
  float* queries = workspace;
  float* results = workspace + kQueryTile * dim;
  std::int64_t visible[kQueryTile];
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t token = (first_row + r) / group;
    const std::int64_t column = (head * group + (first_row + r) % group) * dim;
    const float* from = q.data + (sequence.query_begin + token) * q.stride + column;
    for (std::int64_t i = 0; i < dim; ++i) queries[r * dim + i] = from[i] * shape.scale;
    visible[r] = place.keys - sequence.query_count + token + 1;
  }
  const std::int64_t at = place.first_key * shape.kv_heads + head * place.keys;
  const std::int64_t tile =
      place.first_tile * shape.kv_heads + head * CeilDivide(place.keys, kKeyTile);
  kernels_.attend({.q = queries,
                   .rows = rows,
                   .head_dim = dim,
                   .visible = visible,
                   .keys = keys_.data() + at,
                   .values = values_.data() + at,
                   .tiles = place.first_tile < 0 ? nullptr : tiles_.data() + tile * kKeyTile * dim,
                   .out = results});
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t token = sequence.query_begin + (first_row + r) / group;
    const std::int64_t column = (head * group + (first_row + r) % group) * dim;
    std::copy_n(results + r * dim, dim, out.data + token * out.stride + column);
  }
}

Status Attention::Run(ConstRows q, std::span<const AttentionSequence> sequences,
                      const AttentionShape& shape, Rows out) {
  const auto count = static_cast<std::int64_t>(sequences.size());
  const auto no_memory = [] { return Unavailable("out of memory in attention"); };
  if (!places_.Reserve(count)) return no_memory();
  const Totals totals = Plan(sequences, shape);
  const int threads = totals.products < kSerialProducts ? 1 : threads_;
  const std::int64_t workspace = 2 * kQueryTile * shape.head_dim;
  if (!keys_.Reserve(totals.keys * shape.kv_heads) ||
      !values_.Reserve(totals.keys * shape.kv_heads) ||
      !tiles_.Reserve(totals.tiles * shape.kv_heads * kKeyTile * shape.head_dim) ||
      !rows_.Reserve(threads * workspace)) {
    return no_memory();
  }
  const Place* places = places_.data();

#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(dynamic)
    for (std::int64_t s = 0; s < count; ++s) {
      ListKeys(sequences[static_cast<std::size_t>(s)], places[s], shape);
    }
    for (std::int64_t s = 0; s < count; ++s) {
      if (places[s].first_tile < 0) continue;
      const std::int64_t tiles = CeilDivide(places[s].keys, kKeyTile) * shape.kv_heads;
#pragma omp for schedule(static) nowait
      for (std::int64_t tile = 0; tile < tiles; ++tile) PackTile(places[s], shape, tile);
    }
#pragma omp barrier
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < totals.tasks; ++task) {
      const std::int64_t s = Owner(places, count, task, &Place::first_task);
      RunTask(q, sequences[static_cast<std::size_t>(s)], places[s], shape,
              task - places[s].first_task, rows_.data() + omp_get_thread_num() * workspace, out);
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::compute::cpu
