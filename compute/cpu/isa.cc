#include "compute/cpu/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace kvasir::compute::cpu {
namespace {

constexpr Isa kAll[] = {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16, Isa::kAmx};

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
                         " is unknown; use baseline, avx2, avx512, avx512_bf16 or amx");
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
    case Isa::kAmx:
      return "amx";
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

// Tiles are state that a thread has only if its process asked for it (arch_prctl(2)).
bool MayUseTiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr unsigned kTile = 1U << 24;
  constexpr unsigned kInt8 = 1U << 25;
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  if ((CpuId(7, 0).edx & (kTile | kInt8)) != (kTile | kInt8)) return false;
  static const bool allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
#else
  return false;
#endif
}

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
  if (!HasBf16()) return Isa::kAvx512;
  return MayUseTiles() ? Isa::kAmx : Isa::kAvx512Bf16;
}

Result<Isa> ChooseIsa() {
  static const Result<Isa> chosen = ReadEnvironment();
  return chosen;
}

}  // namespace kvasir::compute::cpu
