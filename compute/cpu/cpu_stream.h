// The ops of compute/backend.h on the CPU. Every op is done when its call returns.
#ifndef KVASIR_COMPUTE_CPU_CPU_STREAM_H_
#define KVASIR_COMPUTE_CPU_CPU_STREAM_H_

#include "compute/cpu/attention.h"
#include "compute/cpu/block_matmul.h"
#include "compute/cpu/growing_array.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/rope_table.h"
#include "compute/host_memory.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Runs on up to `threads` OpenMP threads, the caller's among them. Workspaces grow to the largest
/// shapes seen and stay: nothing is allocated once warm.
class CpuStream final : public HostStream {
 public:
  CpuStream(const Kernels& kernels, int threads)
      : kernels_(kernels),
        threads_(threads),
        block_matmul_(kernels, threads),
        attention_(kernels, threads) {}

  Status Synchronize() override;
  void Embed(const Matrix& table, std::span<const std::int32_t> tokens, Rows out) override;
  void MatMul(ConstRows x, const Matrix& w, Rows y, bool accumulate) override;
  void RmsNorm(ConstRows x, ConstRows weight, float eps, Rows y) override;
  void Rope(Rows x, const RopeSpec& spec, std::span<const std::int32_t> positions) override;
  void SiluMul(ConstRows gate, ConstRows up, Rows y) override;
  void AddBias(ConstRows bias, Rows x) override;
  void Attention(ConstRows q, std::span<const AttentionSequence> sequences, std::int64_t heads,
                 std::int64_t kv_heads, std::int64_t head_dim, float scale, Rows out) override;
  void MeanPool(ConstRows x, std::span<const RowRun> runs, Rows out) override;
  void Unit(Rows x, std::int64_t group) override;

 private:
  /// Keeps the first failure for Synchronize.
  void Note(Status status);

  const Kernels& kernels_;
  int threads_;
  BlockMatMul block_matmul_;
  cpu::Attention attention_;
  RopeTable rope_;
  GrowingArray<float> low_rank_room_;
  Status failure_;
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_CPU_STREAM_H_
