#include "compute/whitening.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "compute/cpu/isa.h"
#include "compute/cpu/kernels.h"

namespace kvasir::compute {
namespace {

/// How much of the identity is in Σ, and how much more when there are few keys: chosen on training
/// rows (docs/recall.md).
constexpr double kRidge = 1.0;
constexpr double kFewKeys = 3.0;

/// Rows of L⁻¹ that are multiplied together: each run knows as many inputs as its last row.
constexpr std::int64_t kRunRows = 96;

/// Vectors that one thread whitens at a time.
constexpr std::int64_t kRowsPerTask = 48;

using Square = std::vector<double>;  // [dim, dim], the lower triangle counts.

HostMatrix AsMatrix(std::span<const float> rows, std::int64_t cols) {
  return {.type = TensorType::kF32,
          .rows = static_cast<std::int64_t>(rows.size()) / cols,
          .cols = cols,
          .bytes = std::as_bytes(rows)};
}

/// keys [n, dim] less their mean, turned to [dim, n].
std::vector<float> Centred(std::span<const float> keys, std::size_t dim) {
  const std::size_t n = keys.size() / dim;
  std::vector<double> mean(dim);
  for (std::size_t i = 0; i < keys.size(); ++i) mean[i % dim] += double{keys[i]};
  std::vector<float> columns(keys.size());
  for (std::size_t d = 0; d < dim; ++d) {
    const double centre = mean[d] / static_cast<double>(n);
    for (std::size_t k = 0; k < n; ++k) {
      columns[d * n + k] = static_cast<float>(double{keys[k * dim + d]} - centre);
    }
  }
  return columns;
}

/// Σ of columns [dim, n].
Result<Square> Shrunk(std::span<const float> columns, std::size_t dim, const cpu::Kernels& kernels,
                      int threads) {
  const std::size_t n = columns.size() / dim;
  const auto rows = static_cast<std::int64_t>(dim);
  const HostMatrix matrix = AsMatrix(columns, static_cast<std::int64_t>(n));
  KVASIR_ASSIGN_OR_RETURN(const auto weights, cpu::F32Weights::Make({&matrix, 1}, kernels));
  std::vector<float> products(dim * dim);
  weights.Multiply({columns.data(), rows, matrix.cols, matrix.cols},
                   {products.data(), rows, rows, rows}, /*accumulate=*/false, threads);
  Square sigma(dim * dim);
  double trace = 0;
  for (std::size_t i = 0; i < sigma.size(); ++i) {
    sigma[i] = double{products[i]} / static_cast<double>(n);
  }
  for (std::size_t d = 0; d < dim; ++d) trace += sigma[d * (dim + 1)];
  const double numbers = static_cast<double>(dim);
  const double share = kRidge + kFewKeys * numbers / static_cast<double>(n);
  // Keys that are all the same tell nothing: every direction counts alike.
  const double ridge = trace > 0 ? share * trace / numbers : 1.0;
  for (std::size_t d = 0; d < dim; ++d) sigma[d * (dim + 1)] += ridge;
  return sigma;
}

/// L of L Lᵀ, in the place of Σ; column by column, so that the inner loop runs along memory.
void Factor(Square* sigma, std::size_t dim) {
  Square& a = *sigma;
  std::vector<double> column(dim);
  for (std::size_t k = 0; k < dim; ++k) {
    const double pivot = std::sqrt(a[k * dim + k]);
    for (std::size_t i = k; i < dim; ++i) {
      a[i * dim + k] /= pivot;
      column[i] = a[i * dim + k];
    }
    a[k * dim + k] = column[k] = pivot;
    for (std::size_t i = k + 1; i < dim; ++i) {
      const double times = column[i];
      double* row = a.data() + i * dim;
      for (std::size_t j = k + 1; j <= i; ++j) row[j] -= times * column[j];
    }
  }
}

/// L⁻¹, row by row: row i is (e_i - Σ_{j<i} L_ij · row j) / L_ii.
Square Inverse(const Square& lower, std::size_t dim) {
  Square inverse(dim * dim);
  for (std::size_t i = 0; i < dim; ++i) {
    double* row = inverse.data() + i * dim;
    row[i] = 1;
    for (std::size_t j = 0; j < i; ++j) {
      const double times = lower[i * dim + j];
      const double* above = inverse.data() + j * dim;
      for (std::size_t c = 0; c <= j; ++c) row[c] -= times * above[c];
    }
    for (std::size_t c = 0; c <= i; ++c) row[c] /= lower[i * dim + i];
  }
  return inverse;
}

/// Rows [first, first + rows) of a lower triangle as weights.
Result<cpu::F32Weights> RunOf(const Square& lower, std::int64_t dim, std::int64_t first,
                              std::int64_t rows, const cpu::Kernels& kernels) {
  const std::int64_t cols = first + rows;
  std::vector<float> run;
  run.reserve(static_cast<std::size_t>(rows * cols));
  for (std::int64_t row = first; row < first + rows; ++row) {
    const auto from = lower.begin() + row * dim;
    std::transform(from, from + cols, std::back_inserter(run),
                   [](double x) { return static_cast<float>(x); });
  }
  const HostMatrix matrix = AsMatrix(run, cols);
  return cpu::F32Weights::Make({&matrix, 1}, kernels);
}

void MakeUnit(std::span<float> vector) {
  double square = 0;
  for (const float x : vector) square += double{x} * double{x};
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (float& x : vector) x = static_cast<float>(double{x} * scale);
}

}  // namespace

Result<Whitening> Whitening::Make(std::span<const float> keys, std::int64_t dim, int threads) {
  const auto width = static_cast<std::size_t>(dim);
  if (dim < 1 || keys.empty() || keys.size() % width != 0) {
    return InvalidArgument("a whitening needs keys of " + std::to_string(dim) + " numbers, not " +
                           std::to_string(keys.size()) + " numbers");
  }
  KVASIR_ASSIGN_OR_RETURN(const cpu::Isa isa, cpu::ChooseIsa());
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  std::vector<float> columns = Centred(keys, width);
  Result<Square> sigma = Shrunk(columns, width, kernels, threads);
  std::ranges::fill(columns, 0.0F);  // The keys may be forgotten next.
  if (!sigma.ok()) return sigma.status();
  Factor(&*sigma, width);
  const Square inverse = Inverse(*sigma, width);
  std::vector<cpu::F32Weights> runs;
  for (std::int64_t first = 0; first < dim; first += kRunRows) {
    const std::int64_t rows = std::min(kRunRows, dim - first);
    KVASIR_ASSIGN_OR_RETURN(auto run, RunOf(inverse, dim, first, rows, kernels));
    runs.push_back(std::move(run));
  }
  return Whitening(std::move(runs));
}

std::int64_t Whitening::Bytes() const {
  std::int64_t numbers = 0;
  for (const cpu::F32Weights& run : inverse_) numbers += run.in() * run.out();
  return numbers * static_cast<std::int64_t>(sizeof(float));
}

Status Whitening::Apply(std::span<const float> vectors, std::span<float> unit, int threads) const {
  const auto width = static_cast<std::size_t>(dim());
  if (vectors.size() % width != 0 || unit.size() != vectors.size()) {
    return InvalidArgument("a whitening of " + std::to_string(dim()) +
                           " numbers was given vectors of another length");
  }
  const auto rows = static_cast<std::int64_t>(vectors.size() / width);
  const ConstRows from(vectors.data(), rows, dim(), dim());
  const Rows to{unit.data(), rows, dim(), dim()};
#pragma omp parallel for num_threads(threads) if (rows > kRowsPerTask) schedule(dynamic)
  for (std::int64_t first = 0; first < rows; first += kRowsPerTask) {
    const std::int64_t count = std::min(kRowsPerTask, rows - first);
    for (const cpu::F32Weights& run : inverse_) {
      run.Multiply(from.Slice(first, count).Columns(0, run.in()),
                   to.Slice(first, count).Columns(run.in() - run.out(), run.out()),
                   /*accumulate=*/false);
    }
    for (std::int64_t row = first; row < first + count; ++row)
      MakeUnit({to.data + row * dim(), width});
  }
  return Status::Ok();
}

}  // namespace kvasir::compute
