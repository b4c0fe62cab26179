#include "compute/cpu/kernels.h"

#include "compute/cpu/isa.h"

namespace kvasir::compute::cpu {

const Kernels& KernelsFor(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return BaselineKernels();
    case Isa::kAvx2:
      return Avx2Kernels();
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return Avx512Kernels();
    case Isa::kAmx:
      return AmxKernels();
  }
  return BaselineKernels();
}

}  // namespace kvasir::compute::cpu
