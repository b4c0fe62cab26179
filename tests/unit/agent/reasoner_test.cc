#include "agent/reasoner.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/unit/agent/scripted_server.h"

namespace kvasir::agent {
namespace {

Result<ReasonerAnswer> Ask(const ReasonerOptions& options, const ReasonerRequest& request = {}) {
  auto reasoner = Reasoner::Make(options);
  if (!reasoner.ok()) return reasoner.status();
  return (*reasoner)->Answer(request);
}

std::string Plain(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

TEST(Reasoner, StreamsTheAnswer) {
  const ScriptedServer server({StreamHead(), Delta("The "), Delta("Tagus."), "data: [DONE]\n\n"});
  std::string streamed;
  ReasonerRequest request;
  request.messages = {{"system", "Be brief."}, {"user", "Which river? \"quoted\" \xC3\xA9"}};
  request.stop = {"END"};
  request.on_text = [&](std::string_view piece) { streamed += piece; };
  const auto answer = Ask({.url = server.url(), .model = "any", .key_file = ""}, request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->text, "The Tagus.");
  EXPECT_EQ(streamed, "The Tagus.");
  EXPECT_EQ(answer->model, "scripted-1");
  EXPECT_EQ(answer->new_tokens, 2U);
  const std::string sent = server.request();
  EXPECT_TRUE(sent.starts_with("POST /v1/chat/completions ")) << sent;
  const auto body = nlohmann::json::parse(sent.substr(sent.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["model"], "any");
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["messages"][1]["content"], "Which river? \"quoted\" \xC3\xA9");
  EXPECT_EQ(body["stop"][0], "END");
}

TEST(Reasoner, SendsItsKeyAsABearer) {
  ASSERT_EQ(::setenv("KVASIR_REASONER_KEY", "secret-1", 1), 0);
  const ScriptedServer server({StreamHead(), Delta("x")});
  const auto answer = Ask({.url = server.url(), .model = "", .key_file = ""});
  ::unsetenv("KVASIR_REASONER_KEY");
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_NE(server.request().find("Authorization: Bearer secret-1\r\n"), std::string::npos);
}

TEST(Reasoner, TakesAnAnswerThatDoesNotStream) {
  const ScriptedServer server({Plain(
      200, R"({"choices":[{"message":{"content":"Plain."}}],"usage":{"completion_tokens":3}})")});
  const auto answer = Ask({.url = server.url() + "/", .model = "m", .key_file = ""});
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->text, "Plain.");
  EXPECT_EQ(answer->model, "m");
  EXPECT_EQ(answer->new_tokens, 3U);
}

TEST(Reasoner, PassesOnTheEndpointsWords) {
  const ScriptedServer missing({Plain(404, R"({"error":{"message":"model m not found"}})")});
  const auto answer = Ask({.url = missing.url(), .model = "m", .key_file = ""});
  EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(answer.status().message().find("model m not found"), std::string::npos);

  const ScriptedServer locked({Plain(401, "no")});
  EXPECT_EQ(Ask({.url = locked.url(), .model = "m", .key_file = ""}).status().code(),
            StatusCode::kPermissionDenied);

  const ScriptedServer broken(
      {StreamHead(), Delta("a"), "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"});
  EXPECT_NE(Ask({.url = broken.url(), .model = "m", .key_file = ""})
                .status()
                .message()
                .find("overloaded"),
            std::string::npos);
}

TEST(Reasoner, SaysWhenAnAnswerIsNone) {
  const ScriptedServer page({Plain(200, "<html>hello</html>")});
  EXPECT_EQ(Ask({.url = page.url(), .model = "", .key_file = ""}).status().code(),
            StatusCode::kUnavailable);
}

TEST(Reasoner, SaysWhenNobodyListens) {
  std::string url;
  {
    const ScriptedServer gone({});
    url = gone.url();
  }
  EXPECT_EQ(Ask({.url = url, .model = "", .key_file = ""}).status().code(),
            StatusCode::kUnavailable);
}

TEST(Reasoner, GivesUpOnSilence) {
  const ScriptedServer server({StreamHead(), Delta("a")}, /*hang=*/true);
  ReasonerOptions options{.url = server.url(), .model = "", .key_file = ""};
  options.idle_timeout_ms = std::chrono::milliseconds(1000);
  EXPECT_EQ(Ask(options).status().code(), StatusCode::kUnavailable);
}

TEST(Reasoner, StopsWhenAsked) {
  const ScriptedServer server({StreamHead(), Delta("a"), Delta("b")}, /*hang=*/true);
  std::stop_source stop;
  ReasonerRequest request;
  request.stop_token = stop.get_token();
  request.on_text = [&](std::string_view) { stop.request_stop(); };
  EXPECT_EQ(Ask({.url = server.url(), .model = "", .key_file = ""}, request).status().code(),
            StatusCode::kCancelled);
}

TEST(Reasoner, LetsACallersExceptionThrough) {
  const ScriptedServer server({StreamHead(), Delta("a")});
  ReasonerRequest request;
  request.on_text = [](std::string_view) { throw std::runtime_error("caller"); };
  EXPECT_THROW((void)Ask({.url = server.url(), .model = "", .key_file = ""}, request),
               std::runtime_error);
}

TEST(Reasoner, WantsHttpAndItsKeyFile) {
  EXPECT_EQ(Ask({.url = "ftp://x", .model = "", .key_file = ""}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(
      Ask({.url = "http://127.0.0.1:1", .model = "", .key_file = "/no/such/key"}).status().code(),
      StatusCode::kNotFound);
}

}  // namespace
}  // namespace kvasir::agent
