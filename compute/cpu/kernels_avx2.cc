// Compiled for AVX2, FMA and F16C (CMakeLists.txt). See simd.h.
#include "compute/cpu/attention_inl.h"
#include "compute/cpu/block_pairs_inl.h"
#include "compute/cpu/elementwise_inl.h"
#include "compute/cpu/f32_matmul_inl.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/route_f32_inl.h"
#include "compute/cpu/route_pairs_inl.h"
#include "compute/cpu/route_sketch_inl.h"
#include "compute/cpu/sketch_key_inl.h"

namespace kvasir::compute::cpu {

const Kernels& Avx2Kernels() {
  static constexpr Kernels kKernels = {
      .rms_norm = RmsNorm,
      .silu_mul = SiluMul,
      .add = Add,
      .rope = Rope,
      .mean = Mean,
      .unit = Unit,
      .pack_keys = PackKeys,
      .attend = Attend,
      .block_group = kPairGroup,
      .quantise_row = QuantiseRowPairs,
      .block_matmul = BlockMatMulPairs,
      .f32_panel = kF32Panel,
      .f32_matmul = F32MatMul,
      .place_query = PlaceQueryPairs,
      .route_int8 = RouteInt8Pairs,
      .sketch_key = SketchKey,
      .route_sketch = RouteSketch,
      .route_f32 = RouteF32,
  };
  return kKernels;
}

}  // namespace kvasir::compute::cpu
