// lexical_bench FOLDER [SEGMENTS] [QUESTIONS] [CACHE]: what the lexical channel takes in a space of
// SEGMENTS memories of one segment each, 50 words long, by a law like that of English words (the
// word of rank r comes 1 / (r + 30) as often; function words, which no question is searched by, are
// left out).
//
// A question is six words as they follow each other in one memory. CACHE: MiB of decoded postings,
// 0 for the store's default. FOLDER gets the store; one that is there is used again. Prints one
// JSON object: milliseconds of the first round of questions (lists come from disk) and of the
// second.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.h"
#include "tests/bench/must.h"
#include "tests/bench/timing.h"

namespace kvasir::bench {
namespace {

constexpr std::size_t kWords = 50;
constexpr std::size_t kAsked = 6;
constexpr std::size_t kBatch = 2000;
constexpr double kVocabulary = 200'000;
constexpr double kOffset = 30;

std::string Word(std::minstd_rand* random) {
  // The law's distribution function, inverted.
  const double unit = std::uniform_real_distribution<>(0, 1)(*random);
  const double rank = kOffset * std::pow((kVocabulary + kOffset) / kOffset, unit) - kOffset;
  std::string word = "w";
  return word.append(std::to_string(static_cast<std::uint64_t>(rank)));
}

// Memory `i`, the same in every run.
std::vector<std::string> WordsOf(std::uint64_t i) {
  std::minstd_rand random(static_cast<std::uint32_t>(i * 2'654'435'761 + 1));
  random.discard(3);
  std::vector<std::string> words;
  for (std::size_t n = 0; n < kWords; ++n) words.push_back(Word(&random));
  return words;
}

std::string Joined(const std::vector<std::string>& words, std::size_t begin, std::size_t count) {
  std::string text;
  for (std::size_t i = begin; i < begin + count; ++i) text.append(words[i]).append(" ");
  return text;
}

void Fill(storage::Store* store, std::uint64_t segments) {
  for (std::uint64_t i = 0; i < segments;) {
    std::vector<storage::DocumentWrite> batch;
    for (; i < segments && batch.size() < kBatch; ++i) {
      storage::DocumentWrite write;
      write.record.id = std::to_string(i);
      write.record.space = "default";
      write.record.text = Joined(WordsOf(i), 0, kWords);
      storage::SegmentWrite segment;
      segment.entry = {.span = {0, write.record.text.size()}, .tokens = kWords};
      write.segments.push_back(std::move(segment));
      batch.push_back(std::move(write));
    }
    Must(store->Commit(std::move(batch)));
  }
}

std::vector<double> Ask(const storage::Store& store, storage::SpaceId space, std::uint64_t segments,
                        std::size_t questions) {
  std::vector<double> took;
  for (std::size_t i = 0; i < questions; ++i) {
    const std::uint64_t memory = i * 7919 % segments;
    const std::string question = Joined(WordsOf(memory), i % (kWords - kAsked), kAsked);
    const Timer timer;
    const auto hits = Must(store.Search(space, question, 100));
    took.push_back(1e3 * timer.Seconds());
    const auto is_it = [memory](const storage::LexicalHit& hit) { return hit.document == memory; };
    if (std::ranges::none_of(hits, is_it)) {
      Die(Internal("question " + std::to_string(i) + " does not find its memory"));
    }
  }
  return took;
}

int Main(int argc, char** argv) {
  if (argc < 2 || argc > 5) {
    std::fprintf(stderr, "usage: lexical_bench FOLDER [SEGMENTS] [QUESTIONS] [CACHE]\n");
    return 2;
  }
  const std::uint64_t segments = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  const std::size_t questions = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 200;
  const bool is_new = !std::filesystem::exists(argv[1]);
  const Timer filling;
  storage::StoreOptions options;
  const std::uint64_t cache = argc > 4 ? std::strtoull(argv[4], nullptr, 10) << 20 : 0;
  if (cache > 0) options.posting_cache_bytes = cache;
  const auto store = Must(storage::Store::Open(argv[1], options));
  const storage::SpaceId space = Must(store->EnsureSpace("default"));
  if (is_new) Fill(store.get(), segments);
  const double filled = filling.Seconds();
  const std::vector<double> first = Ask(*store, space, segments, questions);
  const std::vector<double> second = Ask(*store, space, segments, questions);
  std::printf(
      "{\"segments\": %llu, \"fill_s\": %.0f, \"first_p50_ms\": %.2f, \"first_p95_ms\": %.2f, "
      "\"p50_ms\": %.2f, \"p95_ms\": %.2f}\n",
      static_cast<unsigned long long>(segments), filled, Percentile(first, 0.5),
      Percentile(first, 0.95), Percentile(second, 0.5), Percentile(second, 0.95));
  return 0;
}

}  // namespace
}  // namespace kvasir::bench

int main(int argc, char** argv) { return kvasir::bench::Main(argc, argv); }
