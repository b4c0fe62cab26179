// The fast backend on the CPU: kernels chosen at run time by what the machine has.
#ifndef KVASIR_COMPUTE_CPU_CPU_BACKEND_H_
#define KVASIR_COMPUTE_CPU_CPU_BACKEND_H_

#include <memory>

#include "compute/backend.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

/// Errors: those of ChooseIsa().
Result<std::shared_ptr<Backend>> MakeCpuBackend(const BackendOptions& options);

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_CPU_BACKEND_H_
