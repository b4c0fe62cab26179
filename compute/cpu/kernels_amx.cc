// Compiled for AVX-512 as kernels_avx512.cc is, and for AMX's tiles of bytes (CMakeLists.txt).
#include "compute/cpu/block_amx_inl.h"
#include "compute/cpu/kernels.h"

namespace kvasir::compute::cpu {

const Kernels& AmxKernels() {
  static const Kernels kernels = [] {
    Kernels table = Avx512Kernels();
    table.quantise_row = QuantiseRowQuads;  // Whose codes the tiles read.
    table.block_matmul = BlockMatMulTiles;
    return table;
  }();
  return kernels;
}

}  // namespace kvasir::compute::cpu
