#include "compute/cpu/cpu_stream.h"

#include <cassert>
#include <utility>

#include "compute/cpu/cpu_matrix.h"

namespace kvasir::compute::cpu {
namespace {

/// Numbers touched below which waking other threads costs more than it saves.
constexpr std::int64_t kSerialNumbers = 1 << 15;

/// Calls work(row) for each row, on several threads when there is enough to do.
template <typename Work>
void ForRows(std::int64_t rows, std::int64_t cols, int threads, Work work) {
  if (threads == 1 || rows * cols < kSerialNumbers) {
    for (std::int64_t row = 0; row < rows; ++row) work(row);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) work(row);
}

}  // namespace

void CpuStream::Note(Status status) {
  if (failure_.ok()) failure_ = std::move(status);
}

Status CpuStream::Synchronize() { return std::exchange(failure_, Status::Ok()); }

void CpuStream::Embed(const Matrix& table, std::span<const std::int32_t> tokens, Rows out) {
  const auto& matrix = static_cast<const CpuMatrix&>(table);
  ForRows(out.rows, out.cols, threads_, [&](std::int64_t row) {
    const std::int32_t token = tokens[static_cast<std::size_t>(row)];
    assert(token >= 0 && token < matrix.out());
    matrix.ReadRow(token, out.data + row * out.stride);
  });
}

void CpuStream::MatMul(ConstRows x, const Matrix& w, Rows y, bool accumulate) {
  assert(x.cols == w.in() && y.cols == w.out() && x.rows == y.rows);
  const auto& matrix = static_cast<const CpuMatrix&>(w);
  const CpuMatrix& base = matrix.base();
  if (base.blocks() != nullptr) {
    Note(block_matmul_.Multiply(x, *base.blocks(), y, accumulate));
  } else if (base.floats() != nullptr) {
    base.floats()->Multiply(x, y, accumulate, threads_);
  } else {
    Note(base.onednn()->Multiply(x, y, accumulate, threads_));
  }
  if (matrix.low_rank() != nullptr) Note(matrix.low_rank()->Add(x, y, threads_, &low_rank_room_));
}

void CpuStream::RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y) {
  ForRows(x.rows, x.cols, threads_, [&](std::int64_t row) {
    for (std::int64_t i = 0; i < x.cols; i += weight.cols) {
      kernels_.rms_norm(x.data + row * x.stride + i, weight.data, weight.cols, eps,
                        y.data + row * y.stride + i);
    }
  });
}

void CpuStream::Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions) {
  rope_.Prepare(spec.inverse_frequencies, positions);
  ForRows(x.rows, x.cols, threads_, [&](std::int64_t row) {
    const auto t = static_cast<std::size_t>(row);
    for (std::int64_t i = 0; i < x.cols; i += spec.head_dim) {
      kernels_.rope(x.data + row * x.stride + i, rope_.Cosines(t), rope_.Sines(t),
                    spec.rotary_dim / 2, spec.interleaved);
    }
  });
}

void CpuStream::SiluMul(ConstRows gate, ConstRows up, Rows y) {
  ForRows(gate.rows, gate.cols, threads_, [&](std::int64_t row) {
    kernels_.silu_mul(gate.data + row * gate.stride, up.data + row * up.stride, gate.cols,
                      y.data + row * y.stride);
  });
}

void CpuStream::AddBias(ConstRows bias, Rows x) {
  ForRows(x.rows, x.cols, threads_,
          [&](std::int64_t row) { kernels_.add(bias.data, x.cols, x.data + row * x.stride); });
}

void CpuStream::Attention(ConstRows q, std::span<const AttentionSequence> sequences,
                          std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim,
                          float scale, Rows out) {
  Note(attention_.Run(q, sequences, {heads, kv_heads, head_dim, scale}, out));
}

void CpuStream::MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out) {
  const auto count = static_cast<std::int64_t>(runs.size());
  constexpr std::int64_t kUsualRun = 64;
  ForRows(count, x.cols * kUsualRun, threads_, [&](std::int64_t r) {
    const RowRun& run = runs[static_cast<std::size_t>(r)];
    kernels_.mean(x.data + run.begin * x.stride, x.stride, run.count, x.cols,
                  out.data + r * out.stride);
  });
}

void CpuStream::Unit(Rows x, std::int64_t group) {
  ForRows(x.rows, x.cols, threads_, [&](std::int64_t row) {
    for (std::int64_t i = 0; i < x.cols; i += group) {
      kernels_.unit(x.data + row * x.stride + i, group);
    }
  });
}

}  // namespace kvasir::compute::cpu
