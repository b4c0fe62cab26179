// route_scan: a scan of a whole routing layer, beside a plain read of as many bytes as its floor.
// KVASIR_BENCH_ROUTE_MB sets the size (default 512), KVASIR_BENCH_THREADS the threads.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "compute/host_memory.h"
#include "compute/route.h"

namespace kvasir::compute {
namespace {

constexpr std::int64_t kDim = 192;  // the default model: 3 key-value heads of 64
constexpr std::int64_t kChunks = 8;

std::int64_t Setting(const char* name, std::int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

int Threads() {
  const auto threads = static_cast<int>(Setting("KVASIR_BENCH_THREADS", 0));
  return threads > 0 ? threads : omp_get_num_procs();
}

std::int64_t Entries() {
  return Setting("KVASIR_BENCH_ROUTE_MB", 512) * 1'000'000 / (kChunks * (kDim + 4));
}

/// Random codes; made once, as filling takes longer than any scan.
const RouteIndex& Index() {
  static const std::unique_ptr<RouteIndex> index = [] {
    auto made = RouteIndex::Make({.layers = 1, .dim = kDim}).value();
    std::minstd_rand random(1);
    std::vector<std::int8_t> codes(kChunks * kDim);
    const std::vector<float> scales(kChunks, 0.01F);
    for (std::int64_t id = 0; id < Entries(); ++id) {
      for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random() % 255 - 127);
      const RouteEntry entry{.id = static_cast<std::uint64_t>(id),
                             .chunks = kChunks,
                             .codes = codes,
                             .scales = scales,
                             .keys = {}};
      if (!made->Append(entry).ok()) std::abort();
    }
    return made;
  }();
  return *index;
}

void RouteScan(benchmark::State& state) {
  const RouteIndex& index = Index();
  std::vector<float> queries(static_cast<std::size_t>(state.range(0) * kDim));
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (float& x : queries) x = normal(random);
  std::vector<float> scores(index.Ordinals());
  const RouteQuery query{.queries = queries,
                         .bits = state.range(1) == 8 ? QueryBits::k8 : QueryBits::k15,
                         .threads = Threads()};
  for (auto _ : state) {
    if (!index.Scan(query, scores).ok()) state.SkipWithError("scan failed");
  }
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(index.Bytes()),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

/// The floor: every byte once, in 64-bit words, on as many threads.
void PlainRead(benchmark::State& state) {
  const std::int64_t words = Index().Bytes() / 8;
  const auto memory = AllocateAligned<std::uint64_t>(words);
  std::fill_n(memory.get(), words, 1);
  for (auto _ : state) {
    std::uint64_t sum = 0;
#pragma omp parallel for num_threads(Threads()) reduction(+ : sum) schedule(static)
    for (std::int64_t i = 0; i < words; ++i) sum += memory[static_cast<std::size_t>(i)];
    benchmark::DoNotOptimize(sum);
  }
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(words * 8),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void TopK(benchmark::State& state) {
  const RouteIndex& index = Index();
  std::vector<float> scores(index.Ordinals());
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform;
  for (float& score : scores) score = uniform(random);
  std::vector<RouteHit> hits;
  for (auto _ : state) index.TopK(scores, 16, nullptr, &hits);
}

BENCHMARK(PlainRead)->Name("route_floor_read")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(RouteScan)
    ->Name("route_scan")
    ->ArgNames({"queries", "bits"})
    ->ArgsProduct({{1, 4, 8, 16}, {8, 15}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(TopK)->Name("route_top_16")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kvasir::compute
