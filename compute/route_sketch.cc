#include "compute/route_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <utility>

namespace kvasir::compute {
namespace {

constexpr std::int64_t kPatterns = 16;  ///< Of four signs.

float Length(std::span<const float> x) {
  float squares = 0;
  for (const float value : x) squares += value * value;
  return std::sqrt(squares);
}

}  // namespace

SketchBasis::SketchBasis(std::int64_t dim, std::vector<float> centre)
    : dim_(dim), order_(dim & -dim), centre_(std::move(centre)) {
  // Fixed: sketches of one key are the same on every machine and in every run, up to rounding.
  std::minstd_rand random(20260323);
  const float unit = 1.0F / std::sqrt(static_cast<float>(order_));
  for (std::int64_t i = 0; i < dim; ++i) signs_.push_back(random() / 65536 % 2 ? unit : -unit);
}

void SketchBasis::Turn(std::span<float> x) const {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= signs_[i];
  // Walsh-Hadamard over x seen as [order, dim / order]: rows far apart are mixed, so that the inner
  // loop runs over neighbours.
  for (std::int64_t step = dim_ / order_; step < dim_; step *= 2) {
    for (std::int64_t begin = 0; begin < dim_; begin += 2 * step) {
      float* low = x.data() + begin;
      float* high = low + step;
      for (std::int64_t i = 0; i < step; ++i) {
        const float sum = low[i] + high[i];
        high[i] = low[i] - high[i];
        low[i] = sum;
      }
    }
  }
}

SketchPage::SketchPage(std::shared_ptr<const SketchBasis> basis, std::int64_t slots)
    : basis_(std::move(basis)),
      slots_(slots),
      quads_(cpu::SketchQuads(basis_->dim())),
      highest_(static_cast<std::size_t>(basis_->layers())) {}

std::unique_ptr<SketchPage> SketchPage::Make(std::shared_ptr<const SketchBasis> basis,
                                             std::int64_t slots, bool will_fill) {
  std::unique_ptr<SketchPage> page(new SketchPage(std::move(basis), slots));
  const std::int64_t rows = page->basis_->layers() * slots;
  const std::int64_t bit_bytes = rows * page->quads_ / 2;
  page->memory_ = MappedMemory::Map(
      static_cast<std::size_t>(bit_bytes + rows * std::int64_t{sizeof(float)}), will_fill);
  if (!page->memory_) return nullptr;
  page->bits_ = page->memory_.data();
  page->gains_ = reinterpret_cast<float*>(page->bits_ + bit_bytes);
  return page;
}

std::uint8_t* SketchPage::Bits(std::int64_t layer, std::int64_t block) const {
  return bits_ + (layer * (slots_ / cpu::kSketchSlots) + block) * quads_ * 16;
}

void SketchPage::Put(const cpu::Kernels& kernels, std::int64_t layer, std::int64_t slot,
                     std::span<float> key) {
  const std::int64_t place = slot % cpu::kSketchSlots;
  const float gain = kernels.sketch_key(key.data(), basis_->Centre(layer).data(), basis_->signs(),
                                        basis_->dim(), basis_->order(), place >= 16 ? 4 : 0,
                                        Bits(layer, slot / cpu::kSketchSlots) + place % 16);
  gains_[layer * slots_ + slot] = gain;
  float& highest = highest_[static_cast<std::size_t>(layer)];
  highest = std::max(highest, gain);
}

void SketchPage::Clear(std::int64_t slot) {
  const std::int64_t place = slot % cpu::kSketchSlots;
  const unsigned keep = place >= 16 ? 0x0F : 0xF0;
  for (std::int64_t layer = 0; layer < basis_->layers(); ++layer) {
    std::uint8_t* byte = Bits(layer, slot / cpu::kSketchSlots) + place % 16;
    for (std::int64_t quad = 0; quad < quads_; ++quad) {
      byte[quad * 16] = static_cast<std::uint8_t>(byte[quad * 16] & keep);
    }
    gains_[layer * slots_ + slot] = 0;
  }
}

void SketchPage::Score(const cpu::Kernels& kernels, const cpu::SketchQueries& queries,
                       std::int64_t layer, std::int64_t first, std::int64_t count,
                       float* scores) const {
  kernels.route_sketch(Bits(layer, first), gains_ + layer * slots_ + first * cpu::kSketchSlots,
                       count, quads_, queries, scores);
}

// Entry n of a quad's table is the sum of its four numbers, each with the sign that bit i of n
// gives; all of a query's tables share one step, so that their codes may be added up.
void SketchQueryPreparer::FillTable(const float* query, std::int64_t quads, std::size_t index) {
  float widest = 0;
  float start = 0;
  for (std::int64_t quad = 0; quad < quads; ++quad) {
    float* sums = sums_.data() + quad * kPatterns;
    const float* x = query + quad * 4;
    float most = 0;
    for (int i = 0; i < 4; ++i) most += std::fabs(x[i]);
    for (unsigned n = 0; n < kPatterns; ++n) {
      float sum = 0;
      for (unsigned i = 0; i < 4; ++i) sum += (n >> i & 1) != 0 ? x[i] : -x[i];
      sums[n] = sum + most;
    }
    widest = std::max(widest, 2 * most);
    start -= most;
  }
  const float step = widest > 0 ? widest / 255 : 1.0F;
  std::uint8_t* table = tables_.get() + static_cast<std::int64_t>(index) * quads * kPatterns;
  for (std::int64_t i = 0; i < quads * kPatterns; ++i) {
    table[i] = static_cast<std::uint8_t>(
        std::min(255L, std::lrint(sums_[static_cast<std::size_t>(i)] / step)));
  }
  steps_[index] = step;
  starts_[index] = start;
}

cpu::SketchQueries SketchQueryPreparer::Prepare(const SketchBasis& basis, std::int64_t layer,
                                                std::span<const float> vectors) {
  const auto dim = static_cast<std::size_t>(basis.dim());
  const std::size_t count = vectors.size() / dim;
  const std::int64_t quads = cpu::SketchQuads(basis.dim());
  const std::int64_t bytes = static_cast<std::int64_t>(count) * quads * kPatterns;
  if (bytes > table_bytes_) {
    tables_ = AllocateAligned<std::uint8_t>(bytes);
    table_bytes_ = bytes;
  }
  turned_.assign(static_cast<std::size_t>(quads * 4), 0.0F);
  sums_.resize(static_cast<std::size_t>(quads * kPatterns));
  steps_.resize(count);
  starts_.resize(count);
  bases_.resize(count);
  longest_ = 0;
  for (std::size_t q = 0; q < count; ++q) {
    const std::span<const float> vector = vectors.subspan(q * dim, dim);
    longest_ = std::max(longest_, Length(vector));
    const std::span<const float> centre = basis.Centre(layer);
    bases_[q] = 0;
    for (std::size_t i = 0; i < dim; ++i) bases_[q] += vector[i] * centre[i];
    std::ranges::copy(vector, turned_.begin());
    basis.Turn(std::span(turned_).first(dim));
    FillTable(turned_.data(), quads, q);
  }
  return {.tables = tables_.get(),
          .steps = steps_.data(),
          .starts = starts_.data(),
          .bases = bases_.data(),
          .count = static_cast<std::int64_t>(count)};
}

}  // namespace kvasir::compute
