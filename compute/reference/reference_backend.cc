#include "compute/reference/reference_backend.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "compute/host_memory.h"
#include "compute/reference/ops.h"

namespace kvasir::compute::reference {
namespace {

class ReferenceMatrix final : public Matrix {
 public:
  ReferenceMatrix(StackedShape shape, AlignedArray<float> values)
      : Matrix(shape.rows, shape.cols), values_(std::move(values)) {}
  ConstRows rows() const { return {values_.get(), out(), in(), in()}; }
  /// W += b · a in rows from `first_row` on.
  void Change(std::int64_t first_row, std::span<const float> a, std::span<const float> b);

 private:
  AlignedArray<float> values_;
};

void ReferenceMatrix::Change(std::int64_t first_row, std::span<const float> a,
                             std::span<const float> b) {
  const std::int64_t rank = std::ssize(a) / in();
  for (std::int64_t row = 0; row < std::ssize(b) / rank; ++row) {
    for (std::int64_t col = 0; col < in(); ++col) {
      float& weight = values_[static_cast<std::size_t>((first_row + row) * in() + col)];
      double sum = weight;
      for (std::int64_t r = 0; r < rank; ++r) {
        sum += double{b[static_cast<std::size_t>(row * rank + r)]} *
               double{a[static_cast<std::size_t>(r * in() + col)]};
      }
      weight = static_cast<float>(sum);
    }
  }
}

Result<std::vector<float>> Dequantised(const HostMatrix& matrix) {
  std::vector<float> values(static_cast<std::size_t>(matrix.rows * matrix.cols));
  KVASIR_RETURN_IF_ERROR(DequantizeParts({&matrix, 1}, values));
  return values;
}

ConstRows Weights(const Matrix& matrix) {
  return static_cast<const ReferenceMatrix&>(matrix).rows();
}

class ReferenceStream final : public HostStream {
 public:
  void Embed(const Matrix& table, std::span<const std::int32_t> tokens, Rows out) override {
    reference::Embed(Weights(table), tokens, out);
  }
  void MatMul(ConstRows x, const Matrix& w, Rows y, bool accumulate) override {
    reference::MatMul(x, Weights(w), y, accumulate);
  }
  void RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y) override {
    reference::RmsNorm(x, weight, eps, y);
  }
  void Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions) override {
    reference::Rope(x, spec, positions);
  }
  void SiluMul(ConstRows gate, ConstRows up, Rows y) override { reference::SiluMul(gate, up, y); }
  void AddBias(ConstRows bias, Rows x) override { reference::AddBias(bias, x); }
  void Attention(ConstRows q, std::span<const AttentionSequence> sequences, std::int64_t heads,
                 std::int64_t kv_heads, std::int64_t head_dim, float scale, Rows out) override {
    reference::Attention(q, sequences, heads, kv_heads, head_dim, scale, out);
  }
  void MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out) override {
    reference::MeanPool(x, runs, out);
  }
  void Unit(Rows x, std::int64_t group) override { reference::Unit(x, group); }
};

class ReferenceBackend final : public Backend {
 public:
  std::string Name() const override { return "reference"; }
  Result<std::unique_ptr<Buffer>> Allocate(std::int64_t floats) override {
    return AllocateHostBuffer(floats);
  }
  using Backend::LoadMatrix;
  Result<std::unique_ptr<Matrix>> LoadMatrix(std::span<const HostMatrix> parts,
                                             Precision /*always exact*/) override {
    KVASIR_ASSIGN_OR_RETURN(const StackedShape shape, CheckParts(parts));
    auto values = AllocateAligned<float>(shape.rows * shape.cols);
    if (values == nullptr) return Unavailable("out of memory: no room for a weight matrix");
    KVASIR_RETURN_IF_ERROR(
        DequantizeParts(parts, {values.get(), static_cast<std::size_t>(shape.rows * shape.cols)}));
    return std::unique_ptr<Matrix>(new ReferenceMatrix(shape, std::move(values)));
  }
  /// A matrix of its own: the oracle does not share.
  Result<std::unique_ptr<Matrix>> AddLowRank(const Matrix& base,
                                             std::span<const LowRankUpdate> updates) override {
    KVASIR_RETURN_IF_ERROR(CheckUpdates(base, updates));
    const ConstRows rows = Weights(base);
    auto values = AllocateAligned<float>(rows.rows * rows.cols);
    if (values == nullptr) return Unavailable("out of memory: no room for a weight matrix");
    std::copy_n(rows.data, rows.rows * rows.cols, values.get());
    auto changed =
        std::make_unique<ReferenceMatrix>(StackedShape{rows.rows, rows.cols}, std::move(values));
    for (const LowRankUpdate& update : updates) {
      KVASIR_ASSIGN_OR_RETURN(const std::vector<float> a, Dequantised(update.a));
      KVASIR_ASSIGN_OR_RETURN(const std::vector<float> b, Dequantised(update.b));
      changed->Change(update.first_row, a, b);
    }
    return std::unique_ptr<Matrix>(std::move(changed));
  }
  Result<std::unique_ptr<Stream>> NewStream() override {
    return std::unique_ptr<Stream>(new ReferenceStream);
  }
};

}  // namespace

Result<std::shared_ptr<Backend>> MakeReferenceBackend() {
  return std::shared_ptr<Backend>(new ReferenceBackend);
}

}  // namespace kvasir::compute::reference
