// Crowds: slow ones, silent ones, greedy ones. Whoever behaves is served as if alone.
#include "tests/http/flood.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <iostream>
#include <string>
#include <vector>

#include "http/json.h"
#include "tests/http/attack_server.h"
#include "tests/http/raw_client.h"

namespace kvasir::http_test {
namespace {

constexpr std::uint64_t kMayGrow = 32ULL << 20;
/// Enough that a hundredth of them is not what the machine's other programs did.
constexpr std::size_t kVisits = 1000;

class Crowd : public ::testing::Test {
 protected:
  Crowd() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    CalmByTurns(server_.port(), alone_.port(), 50);  // Maps what later requests share.
    before_ = server_.resident_bytes();
    server_.ResetPeak();
  }

  /// `count` clients that have each sent `bytes` and wait.
  std::vector<RawClient> Gather(std::size_t count, const std::string& bytes) {
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i < count; ++i) {
      clients.emplace_back(server_.port());
      clients.back().Send(bytes);
    }
    return clients;
  }

  void ExpectServedAsIfAlone(const std::string& what) {
    const auto [now, alone] = CalmByTurns(server_.port(), alone_.port(), kVisits);
    EXPECT_EQ(now.served, kVisits);
    EXPECT_LT(now.p99, 5 * alone.p99);
    EXPECT_LT(server_.peak_bytes(), before_ + kMayGrow);
    std::cout << what << ": p99 " << now.p99.count() << " us, alone " << alone.p99.count()
              << " us; grew " << (server_.peak_bytes() - before_) / 1024 << " KiB\n";
  }

  AttackServer server_;
  AttackServer alone_;  ///< The same program, with no crowd at its door.
  std::uint64_t before_ = 0;
};

TEST_F(Crowd, OfFiveHundredWhoNeverEndTheirHeads) {
  auto clients = Gather(500, "GET /livez HTTP/1.1\r\nHost: localhost\r\nA: ");
  ExpectServedAsIfAlone("500 slow heads");
  EXPECT_EQ(ParseReply(clients.back().ReadAll()).status, 408);
}

TEST_F(Crowd, OfFiveHundredWhoNeverEndTheirBodies) {
  const std::string small =
      "POST /v1/recall HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
  auto clients = Gather(500, small);
  ExpectServedAsIfAlone("500 slow bodies");
  EXPECT_EQ(ParseReply(clients.back().ReadAll()).status, 408);
}

TEST_F(Crowd, OfFiveHundredWhoSayNothing) {
  const auto clients = Gather(500, "");
  ExpectServedAsIfAlone("500 silent");
}

TEST_F(Crowd, OfAHundredWhoNeverReadALargeAnswer) {
  const std::string text(1'000'000, 'a');
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(
        Fetch(server_.port(), "POST", "/v1/memories", http::Json{{"text", text}}.dump()).status,
        201);
  }
  before_ = server_.resident_bytes();
  server_.ResetPeak();
  const auto clients = Gather(100, Request("GET", "/v1/memories?limit=4", "", ""));
  ExpectServedAsIfAlone("100 who do not read 4 MB");
}

TEST_F(Crowd, OfAThousandAtOnceGetsRightAnswersOrIsAskedToComeAgain) {
  ASSERT_EQ(
      Fetch(server_.port(), "POST", "/v1/memories", R"({"id":"x","text":"the needle"})").status,
      201);
  const FloodResult result =
      Flood(server_.port(), 1000, 5000, Request("GET", "/v1/memories/x"), "the needle");
  EXPECT_EQ(result.wrong, 0U);
  EXPECT_EQ(result.served + result.turned_away, 5000U);
  EXPECT_GT(result.served, 2500U);
  EXPECT_LT(server_.peak_bytes(), before_ + kMayGrow);
  std::cout << "1000 at once: " << result.served << " served, " << result.turned_away
            << " asked to come again, p50 " << result.p50.count() << " us, p99 "
            << result.p99.count() << " us; grew " << (server_.peak_bytes() - before_) / 1024
            << " KiB\n";
  ExpectServedAsIfAlone("after the thousand");
}

}  // namespace
}  // namespace kvasir::http_test
