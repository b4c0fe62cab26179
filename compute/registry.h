// How a folder that compute does not know (gpu) offers a backend: it registers a factory, once,
// from the composition root.
#ifndef KVASIR_COMPUTE_REGISTRY_H_
#define KVASIR_COMPUTE_REGISTRY_H_

#include <memory>
#include <string>

#include "compute/backend.h"
#include "kvasir/status.h"

namespace kvasir::compute {

/// Makes a backend, or says kUnavailable with a line for the user ("cuda: no device").
using BackendFactory = Result<std::shared_ptr<Backend>> (*)(const BackendOptions& options);

/// MakeBackend(name) will call `factory`; a later registration of the same name replaces the
/// earlier. With an empty name MakeBackend tries registered backends first, in order of
/// registration, and takes "cpu" when all of them are kUnavailable. Thread-safe.
void RegisterBackend(std::string name, BackendFactory factory);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_REGISTRY_H_
