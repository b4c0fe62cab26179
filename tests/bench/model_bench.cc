// model_bench MODEL [ADAPTER]: what the model costs, one JSON object. Encoding of long (512 tokens)
// and short (20) memories, a question of 15 tokens, decoding behind 128 tokens; beside them a plain
// read of memory, which bounds decoding. Each figure is the best of a few runs.
//
// Without ADAPTER the upper half of the layers routes, so that an encoding runs through the whole
// model, as another program's prefill does; with the shipped one it ends at the ninth layer.
// KVASIR_BENCH_THREADS and KVASIR_ISA as for kvasir_bench.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <vector>

#include "compute/backend.h"
#include "compute/host_memory.h"
#include "model/encoder.h"
#include "model/model.h"
#include "model/question.h"
#include "tests/bench/must.h"

namespace {

std::atomic<std::int64_t> allocations = 0;

}  // namespace

// Counted, to say what a token costs in calls of the heap; the other forms end in these.
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace kvasir::model {
namespace {

using bench::Die;
using bench::Must;

constexpr int kRuns = 3;
constexpr std::int64_t kReadBytes = 512 << 20;
constexpr int kDecoded = 32;

/// Seconds of the fastest of kRuns, after one that warms up.
template <typename Work>
double Best(Work work) {
  double best = HUGE_VAL;
  for (int run = 0; run <= kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    if (const Status status = work(); !status.ok()) Die(status);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (run > 0) best = std::min(best, took.count());
  }
  return best;
}

/// Ordinary tokens; which ones does not matter.
TokenSequence Tokens(std::int64_t count) {
  TokenSequence tokens;
  for (std::int64_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<std::int32_t>(1000 + i * 7919 % 30000));
  }
  return tokens;
}

double TokensPerSecond(Encoder& encoder, std::int64_t length, std::int64_t count) {
  const std::vector<TokenSequence> segments(static_cast<std::size_t>(count), Tokens(length));
  const double seconds = Best([&] { return encoder.Encode(segments).status(); });
  return static_cast<double>(length * count) / seconds;
}

double BytesPerSecond(int threads) {
  const std::int64_t words = kReadBytes / 8;
  const auto memory = compute::AllocateAligned<std::uint64_t>(words);
  std::fill_n(memory.get(), words, 1);
  volatile std::uint64_t sink = 0;
  const double seconds = Best([&] {
    std::uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum) schedule(static)
    for (std::int64_t i = 0; i < words; ++i) sum += memory[static_cast<std::size_t>(i)];
    sink = sum;
    return Status::Ok();
  });
  return static_cast<double>(kReadBytes) / seconds;
}

struct Decoding {
  double tokens_per_s = 0;
  double allocations_per_token = 0;
};

Decoding Decode(Question& question) {
  const TokenSequence prompt = Tokens(128);
  const TokenSequence next = Tokens(1);
  double best = HUGE_VAL;
  double counted = 0;
  for (int run = 0; run < kRuns; ++run) {
    if (const Status status = question.Prefill({.tokens = prompt}); !status.ok()) Die(status);
    const std::int64_t before = allocations;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kDecoded; ++i) {
      if (const Status status = question.Append(next); !status.ok()) Die(status);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
    counted = static_cast<double>(allocations - before) / kDecoded;
  }
  return {kDecoded / best, counted};
}

int Run(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: model_bench MODEL [ADAPTER]\n");
    return 2;
  }
  const char* wanted = std::getenv("KVASIR_BENCH_THREADS");
  const int threads = wanted == nullptr ? omp_get_num_procs() : std::atoi(wanted);
  const auto backend = Must(compute::MakeBackend({.name = "cpu", .threads = threads}));
  const auto model = Must(Model::Load(argv[1], backend, {.adapter = argc > 2 ? argv[2] : ""}));
  const auto encoder = Must(Encoder::Make(model));
  const auto question = Must(Question::Make(model));

  const double read = BytesPerSecond(threads);
  const double encode_long = TokensPerSecond(*encoder, 512, 8);
  const double encode_short = TokensPerSecond(*encoder, 20, 200);
  const TokenSequence asked = Tokens(15);
  const double route = Best([&] { return question->Route(asked).status(); });
  const double prefill = Best([&] { return question->Prefill({.tokens = asked}); });
  const Decoding decode = Decode(*question);
  const auto bytes = static_cast<double>(std::filesystem::file_size(argv[1]));

  std::printf(
      "{\"backend\":\"%s\",\"threads\":%d,\"layers_encoded\":%d,\"encode_512_tokens_per_s\":%.0f,"
      "\"encode_20_tokens_per_s\":%.0f,\"route_15_tokens_ms\":%.2f,\"prefill_15_tokens_ms\":%.2f,"
      "\"decode_tokens_per_s\":%.1f,\"decode_allocations_per_token\":%.1f,\"model_bytes\":%.0f,"
      "\"decode_bytes_per_s\":%.3g,"
      "\"read_bytes_per_s\":%.3g}\n",
      backend->Name().c_str(), threads, static_cast<int>(model->router().layers.back()) + 1,
      encode_long, encode_short, 1e3 * route, 1e3 * prefill, decode.tokens_per_s,
      decode.allocations_per_token, bytes, decode.tokens_per_s * bytes, read);
  return 0;
}

}  // namespace
}  // namespace kvasir::model

int main(int argc, char** argv) { return kvasir::model::Run(argc, argv); }
