#include "compute/cpu/cpu_backend.h"

#include <omp.h>

#include <string>

#include "compute/cpu/cpu_matrix.h"
#include "compute/cpu/cpu_stream.h"
#include "compute/cpu/isa.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/onednn_matmul.h"
#include "compute/host_memory.h"

namespace kvasir::compute::cpu {
namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend(Isa isa, Precision precision, int threads)
      : isa_(isa), precision_(precision), threads_(threads) {}

  std::string Name() const override { return "cpu " + std::string(IsaName(isa_)); }
  Result<std::unique_ptr<Buffer>> Allocate(std::int64_t floats) override {
    return AllocateHostBuffer(floats);
  }
  using Backend::LoadMatrix;
  Result<std::unique_ptr<Matrix>> LoadMatrix(std::span<const HostMatrix> parts,
                                             Precision at_least) override {
    return CpuMatrix::Load(parts, precision_, at_least, isa_, threads_);
  }
  Result<std::unique_ptr<Matrix>> AddLowRank(const Matrix& base,
                                             std::span<const LowRankUpdate> updates) override {
    return CpuMatrix::AddLowRank(static_cast<const CpuMatrix&>(base), updates, isa_);
  }
  Result<std::unique_ptr<Stream>> NewStream() override {
    return std::unique_ptr<Stream>(new CpuStream(KernelsFor(isa_), threads_));
  }

 private:
  Isa isa_;
  Precision precision_;
  int threads_;
};

}  // namespace

Result<std::shared_ptr<Backend>> MakeCpuBackend(const BackendOptions& options) {
  KVASIR_ASSIGN_OR_RETURN(const Isa isa, ChooseIsa());
  CapOneDnn(isa);
  const int threads = options.threads > 0 ? options.threads : omp_get_num_procs();
  return std::shared_ptr<Backend>(new CpuBackend(isa, options.precision, threads));
}

}  // namespace kvasir::compute::cpu
