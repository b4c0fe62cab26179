// route_best_bench KEYS [COPIES] [QUESTIONS] [TOKENS]: the best 16 by sketches against a whole
// scan, on router keys of real texts (route_keys.py writes KEYS). One search is one question in one
// layer.
//
// Above the texts that there are, memories are copied COPIES times with noise as strong as half of
// a key (cosine to the original 0.89), so that a search finds many near rivals. Both ways are timed
// in turn, in CPU time of one thread, so that other programs disturb them alike. TOKENS > 1 makes a
// question of that many of its neighbours' vectors (query reduction max). Prints one JSON object.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compute/quantise.h"
#include "compute/route.h"

namespace kvasir::compute {
namespace {

struct Keys {
  std::int64_t layers = 0;
  std::int64_t dim = 0;
  std::vector<std::int64_t> counts;             // Chunks per memory.
  std::vector<std::vector<std::int8_t>> codes;  // By layer: [chunks, dim].
  std::vector<std::vector<float>> scales;       // By layer: [chunks].
  std::vector<std::vector<float>> queries;      // By layer: [questions, dim].
  std::int64_t questions = 0;
};

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "route_best_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
std::vector<T> Read(std::ifstream& file, std::int64_t count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file) Die("the file of keys ends early");
  return values;
}

Keys ReadKeys(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Die("cannot read " + std::string(path));
  const auto head = Read<std::int64_t>(file, 5);
  Keys keys;
  keys.layers = head[0];
  keys.dim = head[1];
  keys.questions = head[4];
  keys.counts = Read<std::int64_t>(file, head[2]);
  for (std::int64_t layer = 0; layer < keys.layers; ++layer) {
    keys.codes.push_back(Read<std::int8_t>(file, head[3] * keys.dim));
    keys.scales.push_back(Read<float>(file, head[3]));
    keys.queries.push_back(Read<float>(file, head[4] * keys.dim));
  }
  return keys;
}

/// Appends one memory whose chunks begin at `first`, with noise if `random` is given.
void Append(const Keys& keys, std::int64_t first, std::int64_t chunks, std::uint64_t id,
            std::minstd_rand* random, RouteIndex& index) {
  static std::vector<std::int8_t> codes;
  static std::vector<float> scales;
  const auto rows = static_cast<std::size_t>(keys.layers * chunks);
  const auto dim = static_cast<std::size_t>(keys.dim);
  codes.resize(rows * dim);
  scales.resize(rows);
  std::vector<float> key(dim);
  // Uniform in ±w has variance w²/3; summed over dim it is a quarter of the key's own length.
  const float width = std::sqrt(0.25F * 3 / static_cast<float>(keys.dim));
  std::uniform_real_distribution<float> noise(-width, width);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t layer = row / static_cast<std::size_t>(chunks);
    const std::size_t from =
        static_cast<std::size_t>(first) + row % static_cast<std::size_t>(chunks);
    const std::int8_t* code = keys.codes[layer].data() + from * dim;
    float squares = 0;
    for (std::size_t i = 0; i < dim; ++i) {
      key[i] = keys.scales[layer][from] * code[i] + (random != nullptr ? noise(*random) : 0.0F);
      squares += key[i] * key[i];
    }
    if (random != nullptr) {
      for (float& x : key) x /= std::sqrt(squares);
    }
    const std::span<std::int8_t> to(codes.data() + row * dim, dim);
    if (!PackRows(TensorType::kI8, key, keys.dim, std::as_writable_bytes(to),
                  std::span(scales).subspan(row, 1))
             .ok()) {
      Die("packing failed");
    }
  }
  if (!index.Append({.id = id, .chunks = chunks, .codes = codes, .scales = scales, .keys = {}})
           .ok()) {
    Die("appending failed");
  }
}

std::unique_ptr<RouteIndex> Fill(const Keys& keys, std::int64_t copies) {
  auto index = RouteIndex::Make({.layers = keys.layers, .dim = keys.dim}).value();
  std::minstd_rand random(1);
  std::uint64_t id = 0;
  for (std::int64_t copy = 0; copy < copies; ++copy) {
    std::int64_t first = 0;
    for (const std::int64_t chunks : keys.counts) {
      Append(keys, first, chunks, id++, copy > 0 ? &random : nullptr, *index);
      first += chunks;
    }
  }
  return index;
}

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Times one search, the better of two, and returns its best 16.
std::vector<RouteHit> Search(const RouteIndex& index, const RouteQuery& query, RouteEffort effort,
                             std::vector<double>* seconds, double* looked) {
  static std::vector<float> totals;
  totals.resize(index.Ordinals());
  const RouteSum sum{
      .layers = {&query, 1}, .weights = {}, .owners = {}, .best = 16, .also = {}, .effort = effort};
  std::vector<RouteHit> hits;
  double best = HUGE_VAL;
  for (int run = 0; run < 2; ++run) {
    const double start = CpuSeconds();
    const auto exact = index.ScanBest(sum, totals);
    index.TopK(totals, 16, nullptr, &hits);
    best = std::min(best, CpuSeconds() - start);
    if (!exact.ok()) Die(exact.status().message());
    *looked = static_cast<double>(*exact);
  }
  seconds->push_back(best);
  return hits;
}

double Percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, std::size_t(p * double(values.size())))];
}

int Run(int argc, char** argv) {
  if (argc < 2) Die("usage: route_best_bench KEYS [COPIES] [QUESTIONS] [TOKENS]");
  const Keys keys = ReadKeys(argv[1]);
  const std::int64_t copies = argc > 2 ? std::atoll(argv[2]) : 1;
  const std::int64_t questions =
      std::min<std::int64_t>(keys.questions, argc > 3 ? std::atoll(argv[3]) : 200);
  const std::int64_t tokens = argc > 4 ? std::atoll(argv[4]) : 1;
  double start = CpuSeconds();
  const std::unique_ptr<RouteIndex> index = Fill(keys, copies);
  const double fill = CpuSeconds() - start;

  std::vector<double> exact_s;
  std::vector<double> sketch_s;
  std::vector<double> looked;
  std::int64_t same = 0;
  for (std::int64_t i = 0; i < questions; ++i) {
    // Spread over all of them: the file holds them set by set.
    const std::int64_t question = std::min(i * keys.questions / questions, keys.questions - tokens);
    for (std::int64_t layer = 0; layer < keys.layers; ++layer) {
      const auto first = static_cast<std::size_t>(question * keys.dim);
      const RouteQuery query{
          .layer = layer,
          .queries = std::span(keys.queries[static_cast<std::size_t>(layer)])
                         .subspan(first, static_cast<std::size_t>(tokens * keys.dim)),
          .threads = 1};
      double count = 0;
      const auto whole = Search(*index, query, RouteEffort::kExact, &exact_s, &count);
      const auto picked = Search(*index, query, RouteEffort::kAuto, &sketch_s, &count);
      looked.push_back(count);
      same += std::equal(whole.begin(), whole.end(), picked.begin(), picked.end(),
                         [](const RouteHit& a, const RouteHit& b) { return a.id == b.id; });
    }
  }
  const double searches = double(exact_s.size());
  double exact_sum = 0;
  double sketch_sum = 0;
  for (const double s : exact_s) exact_sum += s;
  for (const double s : sketch_s) sketch_sum += s;
  std::printf(
      "{\"chunks\":%lld,\"layers\":%lld,\"dim\":%lld,\"tokens\":%lld,\"searches\":%.0f,"
      "\"same_top_16\":%.4f,\"time_ratio\":%.3f,\"scan_p50_ms\":%.3f,\"best_p50_ms\":%.3f,"
      "\"best_p95_ms\":%.3f,\"looked_at_p50\":%.4f,\"looked_at_p95\":%.4f,\"fill_s\":%.1f,"
      "\"index_mb\":%.1f}\n",
      static_cast<long long>(index->Chunks()), static_cast<long long>(keys.layers),
      static_cast<long long>(keys.dim), static_cast<long long>(tokens), searches,
      double(same) / searches, sketch_sum / exact_sum, 1e3 * Percentile(exact_s, 0.5),
      1e3 * Percentile(sketch_s, 0.5), 1e3 * Percentile(sketch_s, 0.95),
      Percentile(looked, 0.5) / double(index->Entries()),
      Percentile(looked, 0.95) / double(index->Entries()), fill, double(index->Bytes()) / 1e6);
  return 0;
}

}  // namespace
}  // namespace kvasir::compute

int main(int argc, char** argv) { return kvasir::compute::Run(argc, argv); }
