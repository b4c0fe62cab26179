// route_scan: a scan of a whole index, layer by layer, beside a plain read of as many bytes as its
// floor, and beside the same scan of keys that stay in the second-level cache: what the
// instructions take when no byte has to be waited for.
// KVASIR_BENCH_ROUTE_MB sets the size (default 512), KVASIR_BENCH_THREADS the threads.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
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
constexpr std::int64_t kLayers = 15;
constexpr std::int64_t kChunks = 8;
/// Of the plain read, again and again: more than any cache holds.
constexpr std::int64_t kFloorBytes = std::int64_t{512} << 20;

std::int64_t Setting(const char* name, std::int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

int Threads() {
  const auto threads = static_cast<int>(Setting("KVASIR_BENCH_THREADS", 0));
  return threads > 0 ? threads : omp_get_num_procs();
}

std::unique_ptr<RouteIndex> Fill(std::int64_t layers, std::int64_t entries) {
  auto index = RouteIndex::Make({.layers = layers, .dim = kDim}).value();
  std::minstd_rand random(1);
  // Enough different keys that no predictor learns them.
  std::vector<std::vector<std::int8_t>> keys(64);
  for (std::vector<std::int8_t>& codes : keys) {
    codes.resize(static_cast<std::size_t>(layers * kChunks * kDim));
    for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random() % 255 - 127);
  }
  const std::vector<float> scales(static_cast<std::size_t>(layers * kChunks), 0.01F);
  for (std::int64_t id = 0; id < entries; ++id) {
    const RouteEntry entry{.id = static_cast<std::uint64_t>(id),
                           .chunks = kChunks,
                           .codes = keys[static_cast<std::size_t>(id % 64)],
                           .scales = scales,
                           .keys = {}};
    if (!index->Append(entry).ok()) std::abort();
  }
  return index;
}

/// Made once, as filling takes longer than any scan.
const RouteIndex& Index() {
  static const std::unique_ptr<RouteIndex> index =
      Fill(kLayers,
           Setting("KVASIR_BENCH_ROUTE_MB", 512) * 1'000'000 / (kLayers * kChunks * (kDim + 4)));
  return *index;
}

/// One layer of one page: 0.8 MB.
const RouteIndex& Cached() {
  static const std::unique_ptr<RouteIndex> index = Fill(1, RouteIndex::kMaxChunks / kChunks);
  return *index;
}

/// What a scan reads: keys and scales, not sketches.
double ScannedBytes(const RouteIndex& index) {
  return static_cast<double>(index.Chunks() * index.shape().layers * (kDim + 4));
}

void ScanLayers(benchmark::State& state, const RouteIndex& index, int threads) {
  std::vector<float> queries(static_cast<std::size_t>(state.range(0) * kDim));
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (float& x : queries) x = normal(random);
  std::vector<float> scores(index.Ordinals());
  for (auto _ : state) {
    for (std::int64_t layer = 0; layer < index.shape().layers; ++layer) {
      const RouteQuery query{.layer = layer,
                             .queries = queries,
                             .bits = state.range(1) == 8 ? QueryBits::k8 : QueryBits::k15,
                             .threads = threads};
      if (!index.Scan(query, scores).ok()) state.SkipWithError("scan failed");
    }
  }
  state.counters["bytes/s"] =
      benchmark::Counter(ScannedBytes(index), benchmark::Counter::kIsIterationInvariantRate);
}

void RouteScan(benchmark::State& state) { ScanLayers(state, Index(), Threads()); }

/// On one thread: as many have as many caches.
void RouteScanCached(benchmark::State& state) { ScanLayers(state, Cached(), 1); }

/// The floor: every byte once, in 64-bit words, on as many threads.
void PlainRead(benchmark::State& state) {
  const auto bytes = static_cast<std::int64_t>(ScannedBytes(Index()));
  const std::int64_t words = std::min(bytes, kFloorBytes) / 8;
  const auto memory = AllocateAligned<std::uint64_t>(words);
  std::fill_n(memory.get(), words, 1);
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (std::int64_t left = bytes / 8; left > 0; left -= words) {
      const std::int64_t count = std::min(left, words);
#pragma omp parallel for num_threads(Threads()) reduction(+ : sum) schedule(static)
      for (std::int64_t i = 0; i < count; ++i) sum += memory[static_cast<std::size_t>(i)];
    }
    benchmark::DoNotOptimize(sum);
  }
  state.counters["bytes/s"] =
      benchmark::Counter(static_cast<double>(bytes), benchmark::Counter::kIsIterationInvariantRate);
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
BENCHMARK(RouteScanCached)
    ->Name("route_scan_in_cache")
    ->ArgNames({"queries", "bits"})
    ->ArgsProduct({{1, 8, 16}, {8, 15}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(TopK)->Name("route_top_16")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kvasir::compute
