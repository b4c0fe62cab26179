#include "compute/cpu/isa.h"

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

Isa DetectIsa() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("f16c")) {
    return Isa::kBaseline;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512vnni")) {
    return Isa::kAvx2;
  }
  return __builtin_cpu_supports("avx512bf16") ? Isa::kAvx512Bf16 : Isa::kAvx512;
}

Result<Isa> ChooseIsa() {
  static const Result<Isa> chosen = ReadEnvironment();
  return chosen;
}

}  // namespace kvasir::compute::cpu
