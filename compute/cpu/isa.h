// Which instructions the kernels may use: found out once, or forced with KVASIR_ISA.
#ifndef KVASIR_COMPUTE_CPU_ISA_H_
#define KVASIR_COMPUTE_CPU_ISA_H_

#include <cstdint>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Each level includes those before it.
enum class Isa : std::uint8_t {
  kBaseline,    ///< x86-64-v2: SSE4.2.
  kAvx2,        ///< AVX2, FMA, F16C.
  kAvx512,      ///< AVX-512 F, BW, DQ, VL and VNNI. (Skylake-X, without VNNI, counts as kAvx2.)
  kAvx512Bf16,  ///< And the bf16 dot product.
  kAmx,         ///< And AMX tiles of bytes, which the operating system must allow.
};

/// "baseline", "avx2", "avx512", "avx512_bf16", "amx": also the values of KVASIR_ISA.
std::string_view IsaName(Isa isa);

/// The highest level of this CPU under this operating system, which is asked for the tiles of AMX
/// once, for all threads of the process.
Isa DetectIsa();

/// What this process uses: KVASIR_ISA if set, else DetectIsa(). Read once; thread-safe.
/// kInvalidArgument for an unknown word, kUnavailable for a level that this CPU lacks.
Result<Isa> ChooseIsa();

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ISA_H_
