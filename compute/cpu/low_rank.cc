#include "compute/cpu/low_rank.h"

#include <omp.h>

#include <algorithm>
#include <utility>

namespace kvasir::compute::cpu {
namespace {

/// Rows that one thread takes from x to y while their a x stays in its first-level cache.
constexpr std::int64_t kMostRows = 48;
/// Products below which waking other threads costs more than it saves.
constexpr std::int64_t kSerialProducts = 1 << 19;

/// Rows of a task: even shares of few rows, in whole register blocks.
std::int64_t RowsPerTask(std::int64_t rows, int threads) {
  const std::int64_t share = (rows + threads - 1) / threads;
  return std::min(kMostRows, (share + 3) / 4 * 4);
}

}  // namespace

Result<LowRank> LowRank::Make(std::span<const LowRankUpdate> updates, const Kernels& kernels) {
  std::vector<HostMatrix> stacked;
  stacked.reserve(updates.size());
  for (const LowRankUpdate& update : updates) stacked.push_back(update.a);
  KVASIR_ASSIGN_OR_RETURN(F32Weights a, F32Weights::Make(stacked, kernels));
  LowRank low_rank(std::move(a));
  std::int64_t first_rank = 0;
  for (const LowRankUpdate& update : updates) {
    KVASIR_ASSIGN_OR_RETURN(F32Weights b, F32Weights::Make({&update.b, 1}, kernels));
    low_rank.outputs_.push_back({update.first_row, first_rank, std::move(b)});
    first_rank += update.a.rows;
  }
  return low_rank;
}

Status LowRank::Add(ConstRows x, Rows y, int threads, GrowingArray<float>* room) const {
  const std::int64_t ranks = a_.out();
  if (x.rows * ranks * a_.in() < kSerialProducts) threads = 1;
  const std::int64_t step = RowsPerTask(x.rows, threads);
  if (!room->Reserve(threads * step * ranks)) return Unavailable("out of memory in a product");
  float* const data = room->data();
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t first = 0; first < x.rows; first += step) {
    const std::int64_t rows = std::min(step, x.rows - first);
    const Rows inner{data + omp_get_thread_num() * step * ranks, rows, ranks, ranks};
    a_.Multiply(x.Slice(first, rows), inner, /*accumulate=*/false);
    for (const Output& output : outputs_) {
      output.b.Multiply(inner.Columns(output.first_rank, output.b.in()),
                        y.Slice(first, rows).Columns(output.first_row, output.b.out()),
                        /*accumulate=*/true);
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::compute::cpu
