// cache_bench TRACE [TRACE...]: hit rates of the paging cache beside the least recently used and
// the optimum, on recorded questions (routing_trace).
//
// Every question asks, layer after layer, for the first kRead segments of the line and holds them
// until the next layer. A page is one segment and counts one byte, so that Belady's rule (give up
// what is wanted last) is the optimum. Orders: as recorded, and the questions shuffled. The last
// column is the cache with the next kRead of each line prefetched, the likely winners of the next
// layer; reads are given the time to end before it asks, as a layer of a model does.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <list>
#include <queue>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "compute/paging/page_cache.h"

namespace kvasir {
namespace {

using Segment = std::uint64_t;

constexpr std::size_t kRead = 16;
constexpr std::size_t kShares[] = {32, 16, 8, 4, 2};

struct Layer {
  std::vector<Segment> read;
  std::vector<Segment> close;
};
using Asked = std::vector<Layer>;  // One question, all layers.

std::vector<Asked> Load(const std::string& path) {
  std::ifstream file(path);
  std::vector<Asked> questions;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::size_t number = 0;
    words >> number;
    if (number == 0) questions.emplace_back();
    if (!words || questions.empty()) continue;
    Layer layer;
    std::uint64_t document = 0;
    std::uint64_t segment = 0;
    for (char colon = 0; words >> document >> colon >> segment;) {
      auto& to = layer.read.size() < kRead ? layer.read : layer.close;
      to.push_back(document << 20 | segment);
    }
    questions.back().push_back(std::move(layer));
  }
  return questions;
}

std::vector<Segment> Requests(const std::vector<Asked>& questions) {
  std::vector<Segment> all;
  for (const Asked& question : questions) {
    for (const Layer& layer : question) {
      all.insert(all.end(), layer.read.begin(), layer.read.end());
    }
  }
  return all;
}

double LeastRecentlyUsed(const std::vector<Segment>& requests, std::size_t capacity) {
  std::list<Segment> order;
  std::unordered_map<Segment, std::list<Segment>::iterator> places;
  std::size_t hits = 0;
  for (const Segment segment : requests) {
    if (const auto found = places.find(segment); found != places.end()) {
      ++hits;
      order.splice(order.end(), order, found->second);
      continue;
    }
    if (order.size() == capacity) {
      places.erase(order.front());
      order.pop_front();
    }
    places[segment] = order.insert(order.end(), segment);
  }
  return static_cast<double>(hits) / static_cast<double>(requests.size());
}

// Belady's: what is asked for last, or never again, goes.
double Optimum(const std::vector<Segment>& requests, std::size_t capacity) {
  const std::size_t count = requests.size();
  std::vector<std::size_t> next(count);
  std::unordered_map<Segment, std::size_t> seen;
  for (std::size_t i = count; i-- > 0;) {
    const auto found = seen.find(requests[i]);
    next[i] = found == seen.end() ? count + i : found->second;
    seen[requests[i]] = i;
  }
  std::unordered_map<Segment, std::size_t> held;  // With its next request.
  std::priority_queue<std::pair<std::size_t, Segment>> last;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (held.contains(requests[i])) {
      ++hits;
    } else if (held.size() == capacity) {
      for (bool gone = false; !gone; last.pop()) {
        const auto found = held.find(last.top().second);
        gone = found != held.end() && found->second == last.top().first;
        if (gone) held.erase(found);
      }
    }
    held[requests[i]] = next[i];
    last.emplace(next[i], requests[i]);
  }
  return static_cast<double>(hits) / static_cast<double>(count);
}

class OneByte final : public compute::Page {
 public:
  std::size_t Bytes() const override { return 1; }
};

class EverySegment final : public compute::PageSource {
 public:
  std::size_t MostBytes() const override { return 1; }
  std::vector<compute::PageResult> Read(std::span<const compute::PageRequest> requests) override {
    std::vector<compute::PageResult> pages;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      pages.emplace_back(std::make_unique<const OneByte>());
    }
    return pages;
  }
};

std::vector<compute::PageRequest> PagesOf(const std::vector<Segment>& segments) {
  std::vector<compute::PageRequest> pages;
  for (const Segment segment : segments) pages.push_back({{0, segment >> 20, 0}, 1});
  return pages;
}

// The share of requests whose page was there before anybody waited for it.
double Cache(const std::vector<Asked>& questions, std::size_t capacity, bool prefetch) {
  EverySegment source;
  compute::PageCache cache(&source, capacity);
  for (const Asked& question : questions) {
    std::vector<Result<compute::PageCache::Pin>> pins;
    for (const Layer& layer : question) {
      auto fetching = cache.Fetch(PagesOf(layer.read));
      pins = std::move(fetching).Wait();
      if (!prefetch) continue;
      cache.Prefetch(PagesOf(layer.close));
      while (cache.Stats().pinned_bytes > layer.read.size()) std::this_thread::yield();
    }
  }
  const compute::PageCacheStats stats = cache.Stats();
  if (stats.refused > 0) std::fprintf(stderr, "cache_bench: %zu pages are too few\n", capacity);
  return static_cast<double>(stats.hits) / static_cast<double>(stats.hits + stats.misses);
}

void Print(const std::string& path, const char* order, const std::vector<Asked>& questions) {
  const std::vector<Segment> requests = Requests(questions);
  std::vector<Segment> different = requests;
  std::ranges::sort(different);
  different.erase(std::ranges::unique(different).begin(), different.end());
  std::printf("%s, %s: %zu questions, %zu requests, %zu pages\n", path.c_str(), order,
              questions.size(), requests.size(), different.size());
  std::printf("| cache | LRU | kvasir | optimum | kvasir / optimum | with prefetch |\n");
  std::printf("|---|---|---|---|---|---|\n");
  for (const std::size_t share : kShares) {
    const std::size_t capacity = different.size() / share;
    if (capacity < 4 * kRead) continue;
    const double kvasir = Cache(questions, capacity, false);
    const double optimum = Optimum(requests, capacity);
    std::printf("| 1/%zu | %.3f | %.3f | %.3f | %.2f | %.3f |\n", share,
                LeastRecentlyUsed(requests, capacity), kvasir, optimum, kvasir / optimum,
                Cache(questions, capacity, true));
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: cache_bench TRACE [TRACE...]\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    auto questions = kvasir::Load(argv[i]);
    if (questions.empty()) {
      std::fprintf(stderr, "cache_bench: %s: no questions; routing_trace writes them\n", argv[i]);
      return 1;
    }
    kvasir::Print(argv[i], "as recorded", questions);
    std::ranges::shuffle(questions, std::mt19937_64(1));
    kvasir::Print(argv[i], "shuffled", questions);
  }
}
