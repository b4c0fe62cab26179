// The oracle: plain loops, double accumulation, no concern for speed. Every fast kernel proves
// itself against it (tests/parity), and a user who doubts an answer can run it.
#ifndef KVASIR_COMPUTE_REFERENCE_REFERENCE_BACKEND_H_
#define KVASIR_COMPUTE_REFERENCE_REFERENCE_BACKEND_H_

#include <memory>

#include "compute/backend.h"
#include "kvasir/status.h"

namespace kvasir::compute::reference {

Result<std::shared_ptr<Backend>> MakeReferenceBackend();

}  // namespace kvasir::compute::reference

#endif  // KVASIR_COMPUTE_REFERENCE_REFERENCE_BACKEND_H_
