// The server alone, with handlers made for the test.
#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/http/raw_client.h"

namespace kvasir::http_test {
namespace {

using http::Response;
using http::Server;
using http::ServerOptions;

const std::string kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

Response Text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

void Nothing(std::string_view, const http::Problem&, std::string_view) {}

std::unique_ptr<Server> Start(Server::Handler handler, ServerOptions options = {},
                              Server::Refused refused = Nothing) {
  auto server = Server::Start(options, std::move(handler), std::move(refused));
  if (!server.ok()) throw std::runtime_error(server.status().message());
  return *std::move(server);
}

/// Holds handlers until it is opened.
class Gate {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void WaitForOne() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

TEST(Server, AsksToComeAgainWhenItsQueueIsFull) {
  Gate gate;
  std::atomic<int> turned_away = 0;
  ServerOptions options;
  options.workers = 1;
  options.queue = 2;
  const auto server = Start(
      [&gate](http::Request&) {
        gate.Pass();
        return Text("{}");
      },
      options,
      [&turned_away](std::string_view, const http::Problem&, std::string_view) { ++turned_away; });
  std::vector<RawClient> clients;
  const auto come = [&] {
    clients.emplace_back(server->port());
    clients.back().Send(kGet);
  };
  come();
  gate.WaitForOne();
  for (int i = 0; i < 3; ++i) come();  // Two may wait; which two, the kernel chooses.
  while (turned_away == 0) std::this_thread::yield();
  gate.Open();
  int served = 0;
  int refused = 0;
  for (RawClient& client : clients) {
    const Reply reply = ParseReply(client.ReadAll());
    served += reply.status == 200 ? 1 : 0;
    refused += reply.status == 503 && reply.headers.at("retry-after") == "1" ? 1 : 0;
  }
  EXPECT_EQ(served, 3);
  EXPECT_EQ(refused, 1);
}

TEST(Server, TurnsAnExceptionIntoAnAnswerWithoutItsText) {
  const auto server = Start([](http::Request&) -> Response { throw std::runtime_error("secret"); });
  const Reply reply = Exchange(server->port(), kGet);
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(Exchange(server->port(), kGet).status, 500);
}

TEST(Server, LetsTheClientSeeThatAStreamBroke) {
  const auto server = Start([](http::Request&) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = [](http::ResponseSink& sink) {
      sink.Write("half");
      throw std::runtime_error("secret");
    };
    return response;
  });
  const Reply reply = Exchange(server->port(), kGet);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "half");
  EXPECT_FALSE(reply.whole);
}

TEST(Server, GivesHandlersTheWholeBodyHoweverItComes) {
  const auto server = Start([](http::Request& request) {
    const auto body = http::ReadAll(*request.body);
    return Text(body.ok() ? std::to_string(body->size()) : "broken");
  });
  const std::string large(1'000'000, 'a');
  EXPECT_EQ(Exchange(server->port(), Request("POST", "/", large)).body, "1000000");
  RawClient client(server->port());
  for (const char byte : Request("POST", "/", "{\"a\":1}")) client.Send({&byte, 1});
  EXPECT_EQ(ParseReply(client.ReadAll()).body, "7");
}

TEST(Server, SaysPlainlyWhenItCannotListen) {
  const auto first = Start([](http::Request&) { return Response{}; });
  ServerOptions same;
  same.port = first->port();
  const auto second = Server::Start(
      same, [](http::Request&) { return Response{}; }, Nothing);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find("Address already in use"), std::string::npos);
  ServerOptions nowhere;
  nowhere.address = "no address";
  EXPECT_EQ(Server::Start(
                nowhere, [](http::Request&) { return Response{}; }, Nothing)
                .status()
                .code(),
            StatusCode::kInvalidArgument);
}

TEST(Loopback, IsKnownByItsNames) {
  for (const char* name : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(http::IsLoopback(name)) << name;
  }
  for (const char* name : {"0.0.0.0", "::", "10.0.0.1", "example.org", "127.evil.example", ""}) {
    EXPECT_FALSE(http::IsLoopback(name)) << name;
  }
}

}  // namespace
}  // namespace kvasir::http_test
