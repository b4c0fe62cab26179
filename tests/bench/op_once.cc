// op_once --list: the ops that scripts/count-instructions counts.
// op_once NAME:   runs one of them once, on one thread, in kvasir_counted_op, where a profiler
// looks.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "compute/backend.h"
#include "tests/parity/op_cases.h"

using kvasir::compute::parity::OpCase;
using kvasir::compute::parity::PreparedOp;

// A name that no compiler changes.
extern "C" [[gnu::noinline]] void kvasir_counted_op(const PreparedOp& op) { op.run(); }

namespace {

/// More products take a profiler minutes and say nothing new.
constexpr double kMostFlops = 1.2e8;

int RunOnce(const OpCase& op) {
  auto backend = kvasir::compute::MakeBackend({.name = "cpu", .threads = 1});
  if (!backend.ok()) {
    std::fprintf(stderr, "op_once: %s\n", backend.status().message().c_str());
    return 1;
  }
  auto stream = (*backend)->NewStream();
  if (!stream.ok()) return 1;
  const PreparedOp prepared = op.prepare(**backend, **stream);
  prepared.run();  // Workspaces grow and tables are made here.
  kvasir_counted_op(prepared);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: op_once --list | op_once NAME\n");
    return 2;
  }
  for (const OpCase& op : kvasir::compute::parity::OpCases()) {
    if (!op.timed || op.flops > kMostFlops) continue;
    if (std::strcmp(argv[1], "--list") == 0) std::puts(op.name.c_str());
    if (op.name == argv[1]) return RunOnce(op);
  }
  return std::strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
