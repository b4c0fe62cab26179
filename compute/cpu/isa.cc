#include "compute/cpu/isa.h"

#include <cpuid.h>

#include <cstdlib>
#include <string>

namespace kvasir::compute::cpu {
namespace {

constexpr Isa kAll[] = {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16};

Result<Isa> ReadEnvironment() {
  const char* forced = std::getenv("KVASIR_ISA");
  if (forced == nullptr || *forced == '\0') return DetectIsa();
  for (const Isa isa : kAll) {
    if (IsaName(isa) != forced) continue;
    if (isa <= DetectIsa()) return isa;
    return Unavailable("KVASIR_ISA=" + std::string(forced) + ": this CPU has only " +
                       std::string(IsaName(DetectIsa())) + "; unset it or choose a lower level");
  }
  return InvalidArgument("KVASIR_ISA=" + std::string(forced) +
                         " is unknown; use baseline, avx2, avx512 or avx512_bf16");
}

}  // namespace

std::string_view IsaName(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
  }
  return "?";
}

struct Registers {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

/// All zero when this CPU has no such leaf.
Registers CpuId(unsigned leaf, unsigned subleaf) {
  Registers out;
  if (__get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx) == 0) return {};
  return out;
}

// Two features that not every compiler's builtin knows by name; the state that they use is that of
// AVX and AVX-512, which the builtin looks after.
bool HasF16c() { return (CpuId(1, 0).ecx >> 29 & 1) != 0; }
bool HasBf16() { return (CpuId(7, 1).eax >> 5 & 1) != 0; }

Isa DetectIsa() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !HasF16c()) {
    return Isa::kBaseline;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512vnni")) {
    return Isa::kAvx2;
  }
  return HasBf16() ? Isa::kAvx512Bf16 : Isa::kAvx512;
}

Result<Isa> ChooseIsa() {
  static const Result<Isa> chosen = ReadEnvironment();
  return chosen;
}

}  // namespace kvasir::compute::cpu
