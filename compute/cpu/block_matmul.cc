#include "compute/cpu/block_matmul.h"

#include <omp.h>

#include <algorithm>

namespace kvasir::compute::cpu {
namespace {

/// Rows of activations that go over the weights together: at 1536 inputs their codes take 384 KiB,
/// which stays in a core's second-level cache beside a panel of weights.
constexpr std::int64_t kRowsPerPass = 128;
/// Products below which waking other threads (about 2 µs) costs more than it saves.
constexpr std::int64_t kSerialProducts = 1 << 17;
/// Runs of panels per thread and pass: uneven threads even out, yet each reads memory in long runs.
constexpr std::int64_t kRunsPerThread = 4;

}  // namespace

bool BlockMatMul::Reserve(std::int64_t rows, std::int64_t blocks, int threads) {
  rows = (rows + kScaleRows - 1) / kScaleRows * kScaleRows;
  return codes_.Reserve(rows * blocks * kBlock) && scales_.Reserve(rows * blocks) &&
         sums_.Reserve(rows * blocks) && scratch_.Reserve(threads * blocks * kBlock * kPanel);
}

Status BlockMatMul::Multiply(ConstRows x, const BlockWeights& w, Rows y, bool accumulate) {
  const BlockPanels& weights = w.panels();
  const std::int64_t blocks = weights.blocks;
  const std::int64_t panels = (w.out() + kPanel - 1) / kPanel;
  const std::int64_t pass = std::min(x.rows, kRowsPerPass);
  const int threads = x.rows * w.in() * w.out() < kSerialProducts ? 1 : threads_;
  if (!Reserve(pass, blocks, threads)) return Unavailable("out of memory in a matrix product");
  const BlockActivations activations{codes_.data(), scales_.data(), sums_.data()};
  const std::int64_t run = std::max<std::int64_t>(1, panels / (threads * kRunsPerThread));

#pragma omp parallel num_threads(threads)
  {
    std::int16_t* scratch = scratch_.data() + omp_get_thread_num() * blocks * kBlock * kPanel;
    for (std::int64_t first = 0; first < x.rows; first += pass) {
      const std::int64_t rows = std::min(pass, x.rows - first);
#pragma omp for schedule(static)
      for (std::int64_t r = 0; r < rows; ++r) {
        kernels_.quantise_row(x.data + (first + r) * x.stride, x.cols, blocks,
                              activations.codes + r * blocks * kBlock,
                              activations.scales + FirstScale(r, blocks),
                              activations.sums + FirstScale(r, blocks));
      }
#pragma omp for schedule(dynamic)
      for (std::int64_t begin = 0; begin < panels; begin += run) {
        kernels_.block_matmul(weights, begin, std::min(panels, begin + run), w.out(), activations,
                              rows, y.data + first * y.stride, y.stride, accumulate, scratch);
      }
    }
  }
  return Status::Ok();
}

}  // namespace kvasir::compute::cpu
