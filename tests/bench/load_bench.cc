// What clients of `kvasir serve` wait for under load that does not wait for them.
//
//   load_bench notes COUNT               COUNT short notes as JSON lines, for `kvasir remember`
//   load_bench run PORT MIX [SECONDS [SHARE]]
//
// MIX: recall, remember, or mixed (nine recalls to one remember). For 1, 8 and 64 connections:
// first the rate that they reach when each sends again as soon as it is answered, then SECONDS (10)
// of requests at SHARE (0.5) of that rate, at times fixed beforehand. Latency counts from the time
// at which a request should have gone, so a server that falls behind is not asked less (no
// coordinated omission). The server takes one request per connection: "64 connections" are 64 at
// once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/http/raw_client.h"

namespace kvasir::http_test {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kProbe{3};

/// "red key, kitchen": about five tokens, so that what is measured is the service and not the
/// model's reading, and a store of 100 000 is made in minutes.
class Notes {
 public:
  explicit Notes(std::uint64_t seed) : random_(seed) {}

  std::string Note() { return Pick(kColours) + " " + Pick(kThings) + ", " + Pick(kPlaces); }
  std::string Question() { return "Where is the " + Pick(kColours) + " " + Pick(kThings) + "?"; }

 private:
  using Words = std::vector<std::string>;

  const std::string& Pick(const Words& words) { return words[random_() % words.size()]; }

  inline static const Words kColours = {"red",   "blue",   "green", "old",   "new",  "small",
                                        "heavy", "empty",  "grey",  "round", "thin", "white",
                                        "clean", "broken", "long",  "dark"};
  inline static const Words kThings = {"key",    "lamp",   "ladder", "violin", "map",    "kettle",
                                       "coat",   "letter", "bottle", "camera", "basket", "clock",
                                       "pencil", "rope",   "bell",   "box",    "chair",  "table",
                                       "book",   "phone",  "glass",  "knife",  "hammer", "shoe"};
  inline static const Words kPlaces = {"kitchen", "cellar",  "garden",  "attic",    "office",
                                       "garage",  "station", "harbour", "library",  "workshop",
                                       "hall",    "barn",    "tower",   "market",   "school",
                                       "church",  "hotel",   "bridge",  "hospital", "museum"};

  std::mt19937_64 random_;
};

std::string Remember(Notes& notes) {
  return Request("POST", "/v1/memories", "{\"text\":\"" + notes.Note() + "\"}");
}

std::string Recall(Notes& notes) {
  return Request("POST", "/v1/recall", "{\"query\":\"" + notes.Question() + "\"}");
}

/// Requests made beforehand, so that making them costs nothing while it counts.
std::vector<std::string> Requests(std::string_view mix, std::size_t count, std::uint64_t seed) {
  Notes notes(seed);
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < count; ++i) {
    const bool remember = mix == "remember" || (mix == "mixed" && i % 10 == 9);
    requests.push_back(remember ? Remember(notes) : Recall(notes));
  }
  return requests;
}

/// Runs `work` on so many threads.
void Together(std::size_t threads, const std::function<void()>& work) {
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < threads; ++i) all.emplace_back(work);
  for (std::thread& thread : all) thread.join();
}

bool IsGood(const Reply& reply) { return reply.status == 200 || reply.status == 201; }

/// Requests per second when each connection sends again as soon as it is answered.
double Capacity(int port, std::size_t connections, const std::vector<std::string>& requests) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> good = 0;
  const auto start = Clock::now();
  Together(connections, [&] {
    while (Clock::now() - start < kProbe) {
      if (IsGood(Exchange(port, requests[next++ % requests.size()]))) ++good;
    }
  });
  return static_cast<double>(good) / Seconds(Clock::now() - start).count();
}

struct Load {
  std::vector<double> milliseconds;  ///< Sorted; of every request, answered or not.
  std::size_t failed = 0;
  double rate = 0;  ///< Answers per second.

  double At(double share) const {
    return milliseconds[static_cast<std::size_t>(share *
                                                 static_cast<double>(milliseconds.size() - 1))];
  }
};

/// Request i goes at start + i / rate, or as soon after it as a connection is free.
Load Open(int port, std::size_t connections, double rate,
          const std::vector<std::string>& requests) {
  Load load;
  load.milliseconds.resize(requests.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> failed = 0;
  const auto start = Clock::now();
  Together(connections, [&] {
    for (std::size_t i = next++; i < requests.size(); i = next++) {
      const auto due = start + std::chrono::duration_cast<Clock::duration>(
                                   Seconds(static_cast<double>(i) / rate));
      std::this_thread::sleep_until(due);
      if (!IsGood(Exchange(port, requests[i]))) ++failed;
      load.milliseconds[i] = Seconds(Clock::now() - due).count() * 1e3;
    }
  });
  load.failed = failed;
  load.rate = static_cast<double>(requests.size()) / Seconds(Clock::now() - start).count();
  std::sort(load.milliseconds.begin(), load.milliseconds.end());
  return load;
}

int Run(int port, const std::string& mix, double seconds, double share) {
  std::printf("%-9s %11s %10s %9s %8s %8s %8s %7s\n", "mix", "connections", "capacity/s", "load/s",
              "p50 ms", "p95 ms", "p99 ms", "failed");
  std::uint64_t seed = std::random_device()();  // Notes that are not there yet.
  for (const std::size_t connections : {1U, 8U, 64U}) {
    const double capacity = Capacity(port, connections, Requests(mix, 1000, seed++));
    const double rate = capacity * share;
    const auto count = static_cast<std::size_t>(rate * seconds);
    if (count == 0) {
      std::fprintf(stderr, "load_bench: nothing was answered with 200 or 201\n");
      return 1;
    }
    const Load load = Open(port, connections, rate, Requests(mix, count, seed++));
    std::printf("%-9s %11zu %10.1f %9.1f %8.2f %8.2f %8.2f %7zu\n", mix.c_str(), connections,
                capacity, load.rate, load.At(.5), load.At(.95), load.At(.99), load.failed);
    std::fflush(stdout);
  }
  return 0;
}

int PrintNotes(std::size_t count) {
  Notes notes(1);
  for (std::size_t i = 0; i < count; ++i) {
    std::printf("{\"id\":\"n%zu\",\"text\":\"%s\"}\n", i, notes.Note().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace kvasir::http_test

int main(int argc, char** argv) {
  using kvasir::http_test::PrintNotes;
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "notes") return PrintNotes(std::stoul(words[1]));
  const bool known = words.size() >= 3 && words[0] == "run" &&
                     (words[2] == "recall" || words[2] == "remember" || words[2] == "mixed");
  if (!known) {
    std::fprintf(stderr,
                 "usage: load_bench notes COUNT\n"
                 "       load_bench run PORT recall|remember|mixed [SECONDS [SHARE]]\n");
    return 2;
  }
  return kvasir::http_test::Run(std::stoi(words[1]), words[2],
                                words.size() > 3 ? std::stod(words[3]) : 10,
                                words.size() > 4 ? std::stod(words[4]) : 0.5);
}
