#include "tests/http/flood.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tests/http/raw_client.h"

namespace kvasir::http_test {
namespace {

using Clock = std::chrono::steady_clock;

struct Visitor {
  RawClient client;
  Clock::time_point start;
  std::string heard;
};

void Judge(const Reply& reply, const std::string& marker, FloodResult& result) {
  if (reply.status == 200 && reply.whole && reply.body.find(marker) != std::string::npos) {
    ++result.served;
  } else if (reply.status == 503 && reply.headers.contains("retry-after")) {
    ++result.turned_away;
  } else {
    ++result.wrong;
  }
}

void FillTimes(std::vector<std::chrono::microseconds> times, FloodResult& result) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  result.p50 = times[times.size() / 2];
  result.p99 = times[times.size() * 99 / 100];
}

std::chrono::microseconds Since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

}  // namespace

FloodResult Flood(int port, std::size_t clients, std::size_t total, const std::string& request,
                  const std::string& marker) {
  FloodResult result;
  std::vector<std::chrono::microseconds> times;
  std::unordered_map<int, std::unique_ptr<Visitor>> visitors;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::size_t started = 0;
  const auto start_one = [&] {
    auto visitor = std::make_unique<Visitor>(Visitor{RawClient(port), Clock::now(), ""});
    const int fd = visitor->client.fd();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    visitor->client.Send(request);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    visitors.emplace(fd, std::move(visitor));
    ++started;
  };
  while (started < std::min(clients, total)) start_one();
  std::array<epoll_event, 256> events;
  std::array<char, 16 * 1024> buffer;
  while (!visitors.empty()) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 20'000);
    if (count <= 0) break;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      Visitor& visitor = *visitors.at(fd);
      const ssize_t bytes = recv(fd, buffer.data(), buffer.size(), 0);
      if (bytes > 0) {
        visitor.heard.append(buffer.data(), static_cast<std::size_t>(bytes));
        continue;
      }
      Judge(ParseReply(visitor.heard), marker, result);
      times.push_back(Since(visitor.start));
      visitors.erase(fd);
      if (started < total) start_one();
    }
  }
  result.wrong += visitors.size();
  close(epoll);
  FillTimes(std::move(times), result);
  return result;
}

std::pair<FloodResult, FloodResult> CalmByTurns(int port, int other_port, std::size_t total) {
  std::pair<FloodResult, FloodResult> results;
  std::pair<std::vector<std::chrono::microseconds>, std::vector<std::chrono::microseconds>> times;
  const auto visit = [](int at, FloodResult& result, auto& took) {
    const auto start = Clock::now();
    Judge(Fetch(at, "GET", "/livez"), "ok", result);
    took.push_back(Since(start));
  };
  for (std::size_t i = 0; i < total; ++i) {
    visit(port, results.first, times.first);
    visit(other_port, results.second, times.second);
  }
  FillTimes(std::move(times.first), results.first);
  FillTimes(std::move(times.second), results.second);
  return results;
}

}  // namespace kvasir::http_test
