// The contract between the model and the machine: where activations live and the ops that run on
// them.
//
// A Backend owns weights and memory; a Stream runs ops in the order in which they were enqueued.
// The CPU backends run an op before the call returns; a device backend may return at once. The
// model therefore never touches a Buffer's bytes itself: it uploads, enqueues, downloads, and calls
// Synchronize before it reads what was downloaded. Ops check nothing at run time but asserts:
// shapes are planned by the model. What can fail (a device lost) is told by Synchronize.
//
// Activations are float32 in every backend; what a backend computes in (bf16, int8) is its own
// choice, bounded by the parity tests (tests/parity). Shapes are in brackets, row-major, outermost
// first.
#ifndef KVASIR_COMPUTE_BACKEND_H_
#define KVASIR_COMPUTE_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "compute/tensor_type.h"
#include "kvasir/status.h"

namespace kvasir::compute {

/// A [rows, cols] view of float32 in a backend's memory; row r begins at data + r * stride.
/// Borrows.
struct Rows {
  float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  /// Rows [begin, begin + count).
  Rows Slice(std::int64_t begin, std::int64_t count) const {
    return {data + begin * stride, count, cols, stride};
  }
  /// Columns [begin, begin + count): one head, or one part of a fused projection.
  Rows Columns(std::int64_t begin, std::int64_t count) const {
    return {data + begin, rows, count, stride};
  }
};

/// The same, read-only.
struct ConstRows {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  ConstRows() = default;
  ConstRows(const float* d, std::int64_t r, std::int64_t c, std::int64_t s)
      : data(d), rows(r), cols(c), stride(s) {}
  ConstRows(const Rows& r)  // NOLINT(google-explicit-constructor): a view may always be read
      : data(r.data), rows(r.rows), cols(r.cols), stride(r.stride) {}
  ConstRows Slice(std::int64_t begin, std::int64_t count) const {
    return {data + begin * stride, count, cols, stride};
  }
  ConstRows Columns(std::int64_t begin, std::int64_t count) const {
    return {data + begin, rows, count, stride};
  }
};

/// Float32 memory of one backend, 64-byte aligned, contents undefined until written.
class Buffer {
 public:
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  float* data() const { return data_; }
  std::int64_t size() const { return size_; }  ///< In floats.
  /// The first rows * cols floats as contiguous rows.
  Rows View(std::int64_t rows, std::int64_t cols) const { return {data_, rows, cols, cols}; }

 protected:
  Buffer(float* data, std::int64_t size) : data_(data), size_(size) {}

 private:
  float* data_;
  std::int64_t size_;
};

/// A weight matrix [out, in] in the layout its backend likes best. Immutable; may be used by many
/// streams at once.
class Matrix {
 public:
  virtual ~Matrix() = default;
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  std::int64_t out() const { return out_; }
  std::int64_t in() const { return in_; }

 protected:
  Matrix(std::int64_t out, std::int64_t in) : out_(out), in_(in) {}

 private:
  std::int64_t out_;
  std::int64_t in_;
};

/// A weight as it lies in a model file: [rows, cols] of any TensorType, bytes as in the file.
struct HostMatrix {
  TensorType type = TensorType::kF32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::span<const std::byte> bytes;
};

/// A low-rank change of rows [first_row, first_row + b.rows) of a matrix: W += b · a, a [rank, in],
/// b [rows, rank].
struct LowRankUpdate {
  std::int64_t first_row = 0;
  HostMatrix a;
  HostMatrix b;
};

/// Rotary position embedding (RoPE), see msa.md §3 and ModelConfig::rope_layout.
struct RopeSpec {
  std::int64_t head_dim = 0;    ///< D
  std::int64_t rotary_dim = 0;  ///< Leading dimensions that turn; usually D.
  bool interleaved = false;  ///< true: pairs (2i, 2i+1), as GGUF `llama` files are permuted; false:
                             ///< (i, i + rotary/2).
  /// [rotary_dim / 2] angles per position, host memory; made by the model from theta and any
  /// scaling.
  std::span<const float> inverse_frequencies;
};

/// Keys and values that queries attend to: k and v are [length, H_kv * D], each with its own
/// stride.
struct KeyValues {
  ConstRows k;
  ConstRows v;
};

/// One sequence of a packed batch. Its queries are rows [query_begin, query_begin + query_count) of
/// q.
struct AttentionSequence {
  std::int64_t query_begin = 0;
  std::int64_t query_count = 0;
  /// Seen whole by every query, in this order: the template head, then the selected chunks (msa.md
  /// §5). Host array.
  std::span<const KeyValues> memory;
  /// Causal: query t sees rows [0, self.k.rows - query_count + t + 1).
  KeyValues self;
};

/// One run of rows that MeanPool averages: a chunk.
struct RowRun {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

/// Enqueues ops. One thread at a time. Host arrays passed as std::span are read before the call
/// returns.
class Stream {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Waits for everything enqueued; the first failure since the last call.
  virtual Status Synchronize() = 0;

  /// Host to backend and back. The host side must live until Synchronize.
  virtual void Upload(std::span<const float> host, Rows to) = 0;
  virtual void Download(ConstRows from, std::span<float> host) = 0;
  /// to = from, same shape; never overlapping.
  virtual void Copy(ConstRows from, Rows to) = 0;

  /// out[t] = table[tokens[t]]: [T, table.in()].
  virtual void Embed(const Matrix& table, std::span<const std::int32_t> tokens, Rows out) = 0;

  /// y = x · Wᵀ, or y += when `accumulate` (the residual stream): x [T, in], y [T, out]. y never
  /// overlaps x.
  virtual void MatMul(ConstRows x, const Matrix& w, Rows y, bool accumulate) = 0;

  /// RMS norm over each group of `weight.cols` columns: y = weight · x / sqrt(mean(x²) + eps).
  /// x and y [T, groups * weight.cols], weight [1, n]; y may be x. groups = 1 norms a row, = heads
  /// norms each head.
  virtual void RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y) = 0;

  /// Turns x [T, heads * D] in place; positions [T].
  virtual void Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions) = 0;

  /// y = silu(gate) · up, elementwise, all [T, n]; y may be gate.
  virtual void SiluMul(ConstRows gate, ConstRows up, Rows y) = 0;

  /// x += bias, bias [1, n] for every row of x [T, n].
  virtual void AddBias(ConstRows bias, Rows x) = 0;

  /// Grouped-query attention of a packed batch: q, out [T, H * D]; every sequence over its own
  /// memory and itself (see AttentionSequence), softmax scale `scale`; query head h reads key-value
  /// head h / (H / H_kv).
  virtual void Attention(ConstRows q, std::span<const AttentionSequence> sequences,
                         std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim,
                         float scale, Rows out) = 0;

  /// out[r] = mean of rows [runs[r].begin, + count) of x; sums in float32 row by row (msa.md §3.4).
  virtual void MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out) = 0;

  /// Makes each group of `group` columns of x a unit vector: x / max(|x|₂, 1e-12).
  virtual void Unit(Rows x, std::int64_t group) = 0;

 protected:
  Stream() = default;
};

enum class Precision : std::uint8_t {
  kFast,  ///< The fastest that stays within the bounds of docs/performance.md.
  kF32,   ///< Weights and products in float32.
};

/// A machine that can run the model. Immutable after Make; any thread may call it.
class Backend {
 public:
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// "reference", "cpu avx2", "cpu avx512_bf16", "cuda sm_90": for people and logs.
  virtual std::string Name() const = 0;
  virtual Result<std::unique_ptr<Buffer>> Allocate(std::int64_t floats) = 0;
  /// A matrix of the parts' rows stacked in order (fused q, k, v): all parts have the same cols.
  /// The parts' bytes are not needed afterwards. kF32 keeps this matrix in float32 whatever the
  /// backend's precision is: for small ones whose rounding shows, as routers'.
  virtual Result<std::unique_ptr<Matrix>> LoadMatrix(std::span<const HostMatrix> parts,
                                                     Precision at_least) = 0;
  Result<std::unique_ptr<Matrix>> LoadMatrix(std::span<const HostMatrix> parts) {
    return LoadMatrix(parts, Precision::kFast);
  }
  /// `base` with low-rank changes beside it, y = W x + Σ b (a x): `base` keeps its own precision,
  /// is shared and must outlive the result; a and b are float32 in every precision, their bytes not
  /// needed afterwards. No table for Embed. kInvalidArgument when a shape does not fit.
  virtual Result<std::unique_ptr<Matrix>> AddLowRank(const Matrix& base,
                                                     std::span<const LowRankUpdate> updates) = 0;
  virtual Result<std::unique_ptr<Stream>> NewStream() = 0;

 protected:
  Backend() = default;
};

struct BackendOptions {
  std::string name;  ///< "", "cpu", "reference", "cuda". Empty: the best that proves itself here.
  Precision precision = Precision::kFast;
  int threads = 0;  ///< 0: one per core this process may use.
};

/// Errors: kInvalidArgument (unknown name), kUnavailable (not in this build, no such device).
Result<std::shared_ptr<Backend>> MakeBackend(const BackendOptions& options);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_BACKEND_H_
