// POST /v1/ask: whole and streamed, and what happens when its client goes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/http/raw_client.h"
#include "tests/http/test_service.h"

namespace kvasir::http_test {
namespace {

using http::Json;
using ::testing::HasSubstr;

const std::string kQuestion = R"({"question":"Which river?"})";
const std::string kStreamed = R"({"question":"Which river?","stream":true})";

/// Waits for what happens on another thread; false after ten seconds.
template <typename Condition>
bool Eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Ask, AnswersWithCitations) {
  TestService server;
  const Reply reply = Fetch(server.port(), "POST", "/v1/ask", kQuestion);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json answer = BodyOf(reply);
  EXPECT_EQ(answer["answer"], "It is the\nTagus.");
  EXPECT_EQ(answer["citations"][0]["id"], "m0");
  EXPECT_EQ(answer["hops"][0]["scores"][0], 0.5);
}

TEST(Ask, StreamsHopsTokensCitationsAndTheWhole) {
  TestService server;
  const Reply reply = Fetch(server.port(), "POST", "/v1/ask", kStreamed);
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  ASSERT_TRUE(reply.whole);
  const std::string expected =
      "event: hop\ndata: {\"hop\":1,\"ids\":[\"m0\"]}\n\n"
      "event: token\ndata: {\"text\":\"It \"}\n\n"
      "event: token\ndata: {\"text\":\"is \"}\n\n"
      "event: token\ndata: {\"text\":\"the\\nTagus.\"}\n\n"
      "event: citation\ndata: {\"ids\":[\"m0\"]}\n\n"
      "event: done\ndata: ";
  EXPECT_THAT(reply.body, ::testing::StartsWith(expected));
  EXPECT_TRUE(Eventually([&] { return server.log().find("/v1/ask") != std::string::npos; }));
}

TEST(Ask, StreamsWhenTheClientAcceptsEventsAndToOldClientsWithoutChunks) {
  TestService server;
  const Reply accepts =
      Fetch(server.port(), "POST", "/v1/ask", kQuestion, "Accept: text/event-stream\r\n");
  EXPECT_THAT(accepts.body, HasSubstr("event: done"));
  std::string old = Request("POST", "/v1/ask", kStreamed);
  old.replace(old.find("HTTP/1.1"), 8, "HTTP/1.0");
  const Reply reply = Exchange(server.port(), old);
  EXPECT_FALSE(reply.headers.contains("transfer-encoding"));
  EXPECT_THAT(reply.body, HasSubstr("event: done"));
}

TEST(Ask, PingsDuringSilenceAndStopsWhenTheClientLeaves) {
  http::ServiceOptions options;
  options.ping_interval = std::chrono::milliseconds(20);
  TestService server(std::move(options));
  server.memory().AnswerForEver(true);
  RawClient client(server.port());
  client.Send(Request("POST", "/v1/ask", kStreamed));
  EXPECT_THAT(client.ReadUntil(": ping\n\n"), HasSubstr("event: token"));
  EXPECT_EQ(server.memory().stopped_asks(), 0);
  client.Close();
  EXPECT_TRUE(Eventually([&] { return server.memory().stopped_asks() == 1; }));
}

TEST(Ask, StopsAtOnceWhenTheClientLeavesBetweenPings) {
  TestService server;
  server.memory().AnswerForEver(true);
  for (const std::string& body : {kQuestion, kStreamed}) {
    const int before = server.memory().stopped_asks();
    RawClient client(server.port());
    client.Send(Request("POST", "/v1/ask", body));
    if (body == kStreamed) client.ReadUntil("event: token");
    client.Close();
    EXPECT_TRUE(Eventually([&] { return server.memory().stopped_asks() == before + 1; }));
  }
}

TEST(Ask, RefusesWhatCannotBeMeant) {
  TestService server;
  for (const char* body :
       {"{}", R"({"question":""})", R"({"question":"a","max_hops":9})",
        R"({"question":"a","temperature":-1})", R"({"question":"a","least_trust":"all"})",
        R"({"question":"a","stream":1})", R"({"question":"a","stop":"x"})"}) {
    EXPECT_EQ(Fetch(server.port(), "POST", "/v1/ask", body).status, 400) << body;
  }
}

TEST(Drain, AnswersWhoeverHasBegunToSpeakAndNobodyNew) {
  TestService server;
  const std::string request = Request("POST", "/v1/ask", kStreamed);
  RawClient client(server.port());
  client.Send(request.substr(0, request.size() - 1));
  // The server has taken this one in when it answers a later one.
  EXPECT_EQ(Fetch(server.port(), "GET", "/livez").status, 200);
  bool in_time = false;
  std::thread drain([&] { in_time = server.server().Drain(std::chrono::seconds(10)); });
  client.Send(request.substr(request.size() - 1));
  EXPECT_THAT(client.ReadAll(), HasSubstr("event: done"));
  drain.join();
  EXPECT_TRUE(in_time);
  EXPECT_THROW(RawClient{server.port()}, std::runtime_error);
}

TEST(Drain, StopsWhatWillNotEnd) {
  TestService server;
  server.memory().AnswerForEver(true);
  RawClient client(server.port());
  client.Send(Request("POST", "/v1/ask", kStreamed));
  client.ReadUntil("event: token");
  EXPECT_FALSE(server.server().Drain(std::chrono::milliseconds(10)));
  EXPECT_THAT(client.ReadAll(), HasSubstr("event: error"));
  EXPECT_EQ(server.memory().stopped_asks(), 1);
}

}  // namespace
}  // namespace kvasir::http_test
