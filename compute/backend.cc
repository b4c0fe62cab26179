#include "compute/backend.h"

#include <mutex>
#include <utility>
#include <vector>

#include "compute/cpu/cpu_backend.h"
#include "compute/reference/reference_backend.h"
#include "compute/registry.h"

namespace kvasir::compute {
namespace {

struct Registration {
  std::string name;
  BackendFactory factory;
};

struct Registry {
  std::mutex mutex;
  std::vector<Registration> registrations;
};

Registry& GlobalRegistry() {
  static Registry registry;
  return registry;
}

std::vector<Registration> Registered() {
  Registry& registry = GlobalRegistry();
  const std::lock_guard lock(registry.mutex);
  return registry.registrations;
}

Result<std::shared_ptr<Backend>> MakeBest(const BackendOptions& options) {
  for (const Registration& registration : Registered()) {
    auto backend = registration.factory(options);
    if (backend.ok() || backend.status().code() != StatusCode::kUnavailable) return backend;
  }
  return cpu::MakeCpuBackend(options);
}

}  // namespace

void RegisterBackend(std::string name, BackendFactory factory) {
  Registry& registry = GlobalRegistry();
  const std::lock_guard lock(registry.mutex);
  for (Registration& registration : registry.registrations) {
    if (registration.name == name) {
      registration.factory = factory;
      return;
    }
  }
  registry.registrations.push_back({std::move(name), factory});
}

Result<std::shared_ptr<Backend>> MakeBackend(const BackendOptions& options) {
  if (options.threads < 0) {
    return InvalidArgument("threads must be 0 (one per core) or more, not " +
                           std::to_string(options.threads));
  }
  if (options.name.empty()) return MakeBest(options);
  if (options.name == "cpu") return cpu::MakeCpuBackend(options);
  if (options.name == "reference") return reference::MakeReferenceBackend();
  for (const Registration& registration : Registered()) {
    if (registration.name == options.name) return registration.factory(options);
  }
  if (options.name == "cuda") {
    return Unavailable(
        "cuda: this build has no CUDA backend; use cpu, or build with KVASIR_CUDA=ON");
  }
  return InvalidArgument("no backend is called '" + options.name +
                         "'; there are cpu, reference and cuda");
}

}  // namespace kvasir::compute
