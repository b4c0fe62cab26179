#include "compute/reference/reference_backend.h"

#include <utility>

#include "compute/host_memory.h"
#include "compute/reference/ops.h"

namespace kvasir::compute::reference {
namespace {

class ReferenceMatrix final : public Matrix {
 public:
  ReferenceMatrix(StackedShape shape, AlignedArray<float> values)
      : Matrix(shape.rows, shape.cols), values_(std::move(values)) {}
  ConstRows rows() const { return {values_.get(), out(), in(), in()}; }

 private:
  AlignedArray<float> values_;
};

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
  Result<std::unique_ptr<Stream>> NewStream() override {
    return std::unique_ptr<Stream>(new ReferenceStream);
  }
};

}  // namespace

Result<std::shared_ptr<Backend>> MakeReferenceBackend() {
  return std::shared_ptr<Backend>(new ReferenceBackend);
}

}  // namespace kvasir::compute::reference
