// Times the ops of the parity list on the cpu backend (kFast, and kF32 for matrix products),
// threads as KVASIR_BENCH_THREADS says (default: all).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "compute/backend.h"
#include "tests/parity/op_cases.h"

namespace kvasir::compute {
namespace {

int Threads() {
  const char* threads = std::getenv("KVASIR_BENCH_THREADS");
  return threads == nullptr ? 0 : std::atoi(threads);
}

void TimeOp(benchmark::State& state, const parity::OpCase& op, Precision precision) {
  auto backend = MakeBackend({.name = "cpu", .precision = precision, .threads = Threads()});
  if (!backend.ok()) return state.SkipWithError(backend.status().message().c_str());
  auto stream = (*backend)->NewStream();
  if (!stream.ok()) return state.SkipWithError(stream.status().message().c_str());
  const parity::PreparedOp prepared = op.prepare(**backend, **stream);
  prepared.run();
  for (auto _ : state) prepared.run();
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  if (op.flops > 0) state.counters["flop/s"] = benchmark::Counter(op.flops, rate);
  if (op.bytes > 0) state.counters["bytes/s"] = benchmark::Counter(op.bytes, rate);
  state.SetLabel((*backend)->Name());
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const parity::OpCase& op : parity::OpCases()) {
    if (!op.timed) continue;
    const auto add = [&op](const char* suffix, Precision precision) {
      benchmark::RegisterBenchmark((op.name + suffix).c_str(), TimeOp, op, precision)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    };
    add("", Precision::kFast);
    if (op.name.starts_with("matmul")) add("_f32", Precision::kF32);
  }
  return true;
}();

}  // namespace
}  // namespace kvasir::compute
