#include "compute/cpu/block_weights.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "compute/quant_blocks.h"

namespace kvasir::compute::cpu {
namespace {

constexpr std::int64_t CeilDivide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Which part, and which of its rows, stacked row `row` is.
std::pair<const HostMatrix*, std::int64_t> Locate(std::span<const HostMatrix> parts,
                                                  std::int64_t row) {
  const HostMatrix* part = parts.data();
  while (row >= part->rows) row -= (part++)->rows;
  return {part, row};
}

/// Where input `i` of output `lane` lies in a block of codes; with 4 bits, in which half.
struct CodePlace {
  std::int64_t byte;
  int shift;
};
CodePlace PlaceOf(std::int64_t i, std::int64_t lane, std::int64_t group, bool four_bits) {
  const std::int64_t row = i / group;
  const std::int64_t in_group = lane * group + i % group;
  if (!four_bits) return {row * kPanel * group + in_group, 0};
  return {row / 2 * kPanel * group + in_group, row % 2 == 0 ? 0 : 4};
}

}  // namespace

Result<std::unique_ptr<BlockWeights>> BlockWeights::Make(std::span<const HostMatrix> parts,
                                                         StackedShape shape, Isa isa, int threads) {
  std::unique_ptr<BlockWeights> weights(new BlockWeights(shape, KernelsFor(isa).block_group));
  weights->panels_.blocks = CeilDivide(shape.cols, kBlock);
  weights->panels_.four_bits =
      std::ranges::all_of(parts, FitsFourBits, [](const HostMatrix& part) { return part.type; });
  const bool halves =
      isa != Isa::kBaseline &&
      std::ranges::all_of(parts, HasHalfScales, [](const HostMatrix& part) { return part.type; });
  weights->panels_.half_scales = halves;
  Status status = weights->Pack(parts, threads);
  if (status.ok() && !weights->scales_fit_) {
    weights->panels_.half_scales = false;
    status = weights->Pack(parts, threads);
  }
  if (!status.ok()) return status;
  return weights;
}

Status BlockWeights::Pack(std::span<const HostMatrix> parts, int threads) {
  const std::int64_t panels = CeilDivide(shape_.rows, kPanel);
  panels_.panel_bytes = panels_.blocks * BytesPerBlock();
  data_ = AllocateAligned<std::uint8_t>(panels * panels_.panel_bytes);
  if (data_ == nullptr) return Unavailable("out of memory: no room for a weight matrix");
  panels_.data = data_.get();
  Status failure;
  std::mutex mutex;
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> values(static_cast<std::size_t>(shape_.cols));
    std::vector<WeightBlock> blocks(static_cast<std::size_t>(panels_.blocks));
#pragma omp for schedule(dynamic, 8)
    for (std::int64_t panel = 0; panel < panels; ++panel) {
      Status status = PackPanel(parts, panel, values, blocks);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      failure = std::move(status);
    }
  }
  return failure;
}

Status BlockWeights::PackPanel(std::span<const HostMatrix> parts, std::int64_t panel,
                               std::span<float> values, std::span<WeightBlock> blocks) {
  std::uint8_t* to = data_.get() + panel * panels_.panel_bytes;
  std::memset(to, 0, static_cast<std::size_t>(panels_.panel_bytes));
  for (std::int64_t lane = 0; lane < std::min(kPanel, shape_.rows - panel * kPanel); ++lane) {
    const auto [part, row] = Locate(parts, panel * kPanel + lane);
    KVASIR_RETURN_IF_ERROR(SplitRow(*part, row, values, blocks));
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const std::int64_t at = static_cast<std::int64_t>(b) * BytesPerBlock();
      Place(blocks[b], lane, to + at);
    }
  }
  return Status::Ok();
}

void BlockWeights::Place(const WeightBlock& block, std::int64_t lane, std::uint8_t* to) {
  for (std::int64_t i = 0; i < kBlock; ++i) {
    const CodePlace place = PlaceOf(i, lane, group_, panels_.four_bits);
    to[place.byte] |= static_cast<std::uint8_t>(block.codes[i] << place.shift);
  }
  std::uint8_t* scales = to + CodeBytes();
  const float both[2] = {block.d, block.m};
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::int64_t at = i * kPanel + lane;
    if (!panels_.half_scales) {
      std::memcpy(scales + at * 4, &both[i], 4);
      continue;
    }
    const std::uint16_t half = FloatToHalf(both[i]);
    if (HalfToFloat(half) != both[i]) scales_fit_ = false;
    std::memcpy(scales + at * 2, &half, 2);
  }
}

float BlockWeights::ScaleAt(const std::uint8_t* scales, std::int64_t at) const {
  if (panels_.half_scales) {
    std::uint16_t half;
    std::memcpy(&half, scales + at * 2, sizeof half);
    return HalfToFloat(half);
  }
  float scale;
  std::memcpy(&scale, scales + at * 4, sizeof scale);
  return scale;
}

void BlockWeights::ReadRow(std::int64_t row, float* to) const {
  const std::int64_t lane = row % kPanel;
  const std::uint8_t* panel = data_.get() + row / kPanel * panels_.panel_bytes;
  const int mask = panels_.four_bits ? 15 : 255;
  for (std::int64_t i = 0; i < shape_.cols; ++i) {
    const std::uint8_t* block = panel + i / kBlock * BytesPerBlock();
    const CodePlace place = PlaceOf(i % kBlock, lane, group_, panels_.four_bits);
    const int code = block[place.byte] >> place.shift & mask;
    const std::uint8_t* scales = block + CodeBytes();
    to[i] = ScaleAt(scales, lane) * static_cast<float>(code) + ScaleAt(scales, kPanel + lane);
  }
}

}  // namespace kvasir::compute::cpu
