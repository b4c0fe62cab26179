// What REST adds to a call of the SDK: the same store, the same calls, alternately with and
// without HTTP. Usage: http_overhead_bench MODEL [MEMORIES [ROUNDS]].
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "http/server.h"
#include "http/service.h"
#include "kvasir/memory.h"
#include "tests/http/raw_client.h"

namespace kvasir::http_test {
namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(const std::function<void()>& call) {
  const auto start = Clock::now();
  call();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double At(std::vector<double>& times, double share) {
  std::sort(times.begin(), times.end());
  return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
}

void Compare(const char* what, int rounds, const std::function<void()>& sdk,
             const std::function<void()>& rest) {
  std::vector<double> alone;
  std::vector<double> through;
  for (int i = 0; i < rounds; ++i) {
    alone.push_back(Milliseconds(sdk));
    through.push_back(Milliseconds(rest));
  }
  std::printf("%-8s p50 %8.3f ms SDK %8.3f ms REST (+%.3f)   p95 %8.3f ms SDK %8.3f ms REST\n",
              what, At(alone, .5), At(through, .5), At(through, .5) - At(alone, .5), At(alone, .95),
              At(through, .95));
}

int Run(const std::string& model, int memories, int rounds) {
  OpenOptions options;
  options.model = model;
  auto memory = Memory::InMemory(options);
  if (!memory.ok()) {
    std::fprintf(stderr, "%s\n", memory.status().message().c_str());
    return 1;
  }
  for (int i = 0; i < memories; ++i) {
    const std::string number = std::to_string(i);
    RememberRequest request;
    request.id = "s" + number;
    request.text = "Sensor " + number + " stands in room " + std::to_string(i * 7 % 100) +
                   " and was checked by Ada.";
    const auto receipt = (*memory)->Remember(request);
    if (!receipt.ok()) return 1;
  }
  http::Service service({});
  service.Attach(memory->get());
  auto server = http::Server::Start(
      {}, [&service](http::Request& request) { return service.Handle(request); },
      [](std::string_view, const http::Problem&, std::string_view) {});
  if (!server.ok()) return 1;
  const int port = (*server)->port();
  const auto expect = [](bool good) {
    if (!good) std::abort();
  };
  Compare(
      "get", rounds, [&] { expect((*memory)->Get("s1").ok()); },
      [&] { expect(Fetch(port, "GET", "/v1/memories/s1").status == 200); });
  RecallRequest recall;
  recall.query = "Which room is sensor 17 in?";
  Compare(
      "recall", rounds, [&] { expect((*memory)->Recall(recall).ok()); },
      [&] {
        expect(Fetch(port, "POST", "/v1/recall", "{\"query\":\"" + recall.query + "\"}").status ==
               200);
      });
  return 0;
}

}  // namespace
}  // namespace kvasir::http_test

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s MODEL [MEMORIES [ROUNDS]]\n", words[0]);
    return 2;
  }
  return kvasir::http_test::Run(words[1], count > 2 ? std::atoi(words[2]) : 100,
                                count > 3 ? std::atoi(words[3]) : 200);
}
