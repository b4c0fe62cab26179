// memory_bench [MEMORIES] [QUERIES] [WORDS]: what a user waits for, over the public API, on
// synthetic notes.
//
// Notes are WORDS (40) or fewer words, half as many at least, drawn by Zipf's law from 30 000
// made-up words, seeded, so that posting lists have the shape of real text; each is one segment.
// Prints one JSON object: rates of remember, recall p50/p95, bytes on disk, time to open. The store
// is made in $TMPDIR and removed.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "kvasir/kvasir.h"
#include "tests/bench/must.h"
#include "tests/bench/timing.h"

namespace {

using kvasir::bench::Die;
using kvasir::bench::Percentile;
using kvasir::bench::Timer;

/// Made-up words of two to four syllables, the k-th most frequent drawn with weight 1/k.
class Words {
 public:
  explicit Words(std::uint64_t seed) : random_(seed) {
    static const char* const kSyllables[] = {"ka",  "lo",  "mi",  "ren", "tas", "vor", "el",  "du",
                                             "sha", "pin", "gar", "no",  "wel", "ti",  "bro", "un"};
    for (std::size_t i = 0; i < kWords; ++i) {
      std::string word;
      for (std::size_t n = i + 16, part = 0; n > 0 || part < 2; n /= 16, ++part) {
        word += kSyllables[(n + part) % 16];
      }
      words_.push_back(std::move(word));
    }
    double sum = 0;
    for (std::size_t i = 0; i < kWords; ++i) cumulative_.push_back(sum += 1.0 / double(i + 1));
  }

  std::string Text(std::size_t least, std::size_t most) {
    const std::size_t count = std::uniform_int_distribution<std::size_t>(least, most)(random_);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += ' ';
      text += Next();
    }
    return text + ".";
  }

 private:
  static constexpr std::size_t kWords = 30000;

  const std::string& Next() {
    const double at = std::uniform_real_distribution<double>(0, cumulative_.back())(random_);
    return words_[std::lower_bound(cumulative_.begin(), cumulative_.end(), at) -
                  cumulative_.begin()];
  }

  std::mt19937_64 random_;
  std::vector<std::string> words_;
  std::vector<double> cumulative_;
};

/// Remembers `count` notes; returns how many tokens that were.
std::uint64_t Fill(kvasir::Memory& memory, std::size_t count, std::size_t most_words) {
  Words words(1);
  std::uint64_t tokens = 0;
  for (std::size_t done = 0; done < count;) {
    std::vector<kvasir::RememberRequest> batch(std::min<std::size_t>(512, count - done));
    for (auto& request : batch) request.text = words.Text((most_words + 1) / 2, most_words);
    for (const auto& receipt : memory.RememberBatch(batch)) {
      if (!receipt.ok()) Die(receipt.status());
      tokens += receipt->tokens;
    }
    done += batch.size();
    if (done % 8192 == 0) std::fprintf(stderr, "%zu/%zu\n", done, count);
  }
  return tokens;
}

std::vector<double> RecallMilliseconds(kvasir::Memory& memory, std::size_t queries) {
  Words words(2);
  std::vector<double> times;
  for (std::size_t i = 0; i < queries; ++i) {
    kvasir::RecallRequest request;
    request.query = words.Text(6, 10);
    const Timer timer;
    if (const auto found = memory.Recall(request); !found.ok()) Die(found.status());
    times.push_back(timer.Seconds() * 1e3);
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t memories = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000;
  const std::size_t queries = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 200;
  const std::size_t words = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 40;
  if (memories == 0 || queries == 0 || words == 0) {
    std::fprintf(stderr, "usage: memory_bench [MEMORIES] [QUERIES] [WORDS]\n");
    return 2;
  }
  const auto folder =
      std::filesystem::temp_directory_path() / ("kvasir-memory-bench-" + std::to_string(getpid()));
  const std::string path = folder.string();

  auto opened = kvasir::Memory::Open(path);
  if (!opened.ok()) Die(opened.status());
  const Timer filling;
  const std::uint64_t tokens = Fill(**opened, memories, words);
  const double remember_s = filling.Seconds();

  opened =
      std::unique_ptr<kvasir::Memory>();  // Closes; the next opening finds a cold process state.
  const Timer opening;
  opened = kvasir::Memory::Open(path);
  if (!opened.ok()) Die(opened.status());
  const double open_s = opening.Seconds();
  const Timer asking;
  RecallMilliseconds(**opened, 1);
  const double first_s = asking.Seconds();
  const std::vector<double> times = RecallMilliseconds(**opened, queries);
  const auto stats = (*opened)->GetStats();
  if (!stats.ok()) Die(stats.status());

  std::printf(
      "{\"memories\":%zu,\"tokens\":%llu,\"remember_tokens_per_s\":%.0f,\"open_ms\":%.0f,"
      "\"first_recall_ms\":%.0f,\"recall_p50_ms\":%.1f,\"recall_p95_ms\":%.1f,"
      "\"disk_bytes_per_token\":%.1f,\"index_bytes_per_token\":%.1f,\"backend\":\"%s\"}\n",
      memories, static_cast<unsigned long long>(tokens), double(tokens) / remember_s, open_s * 1e3,
      first_s * 1e3, Percentile(times, 0.5), Percentile(times, 0.95),
      double(stats->disk_bytes) / double(tokens), double(stats->index_bytes) / double(tokens),
      stats->backend.c_str());
  opened = std::unique_ptr<kvasir::Memory>();
  std::filesystem::remove_all(folder);
}
