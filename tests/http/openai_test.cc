// The OpenAI-shaped routes, in front of a scripted memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/http/test_service.h"

namespace kvasir::http_test {
namespace {

using http::Json;
using ::testing::HasSubstr;

class OpenAi : public ::testing::Test {
 protected:
  Reply Complete(Json fields) {
    if (!fields.contains("model")) fields["model"] = "kvasir";
    if (!fields.contains("messages")) fields["messages"] = Said("Which river?");
    return Fetch(server_.port(), "POST", "/v1/chat/completions", fields.dump());
  }
  static Json Said(const std::string& text) {
    return Json::array({Json{{"role", "user"}, {"content", text}}});
  }

  TestService server_;
};

TEST_F(OpenAi, AnswersInTheShapeOfAChatCompletion) {
  const Reply reply = Complete(Json::object());
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json json = BodyOf(reply);
  EXPECT_THAT(json["id"].get<std::string>(), HasSubstr("chatcmpl-"));
  EXPECT_EQ(json["object"], "chat.completion");
  EXPECT_GT(json["created"], 1'700'000'000);
  EXPECT_EQ(json["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(json["choices"][0]["message"]["content"], "It is the\nTagus.");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json["usage"],
            Json({{"prompt_tokens", 11}, {"completion_tokens", 3}, {"total_tokens", 14}}));
  EXPECT_EQ(json["kvasir"]["citations"][0]["id"], "m0");
  EXPECT_EQ(BodyOf(Complete({{"max_tokens", 3}}))["choices"][0]["finish_reason"], "length");
}

TEST_F(OpenAi, StreamsChunksUsageAndTheEnd) {
  const Reply reply = Complete({{"stream", true}, {"stream_options", {{"include_usage", true}}}});
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(reply.body.find("event:"), std::string::npos);
  std::string text;
  Json last;
  std::size_t chunks = 0;
  const std::string mark = "data: ";
  for (auto at = reply.body.find(mark); at != std::string::npos; at = reply.body.find(mark, at)) {
    at += mark.size();
    const std::string data = reply.body.substr(at, reply.body.find("\n\n", at) - at);
    if (data == "[DONE]") break;
    last = Json::parse(data);
    EXPECT_EQ(last["object"], "chat.completion.chunk");
    if (!last["choices"].empty()) text += last["choices"][0]["delta"].value("content", "");
    ++chunks;
  }
  EXPECT_EQ(text, "It is the\nTagus.");
  EXPECT_EQ(chunks, 6U);
  EXPECT_EQ(last["usage"]["total_tokens"], 14);
  EXPECT_TRUE(reply.body.ends_with("data: [DONE]\n\n"));
}

TEST_F(OpenAi, TakesWhatItsClientsSendAndRefusesWhatItCannotDo) {
  const Json taken[] = {
      {{"temperature", 0.5}, {"top_p", 1}, {"seed", 3}, {"stop", "x"}, {"user", "u"}},
      {{"stop", {"a", "b"}}, {"max_completion_tokens", 5}, {"n", 1}, {"presence_penalty", 0.0}},
      {{"response_format", {{"type", "text"}}}, {"tools", Json::array()}, {"store", false}},
      {{"temperature", nullptr}, {"max_tokens", nullptr}, {"stop", nullptr}, {"n", nullptr}},
      {{"kvasir", {{"session", "s"}, {"filters", {{"topic", "home"}}}, {"max_hops", 1}}}},
      {{"messages",
        {{{"role", "system"}, {"content", "Be short."}},
         {{"role", "user"}, {"content", "I ask of Ada."}},
         {{"role", "assistant"}, {"content", "Ask."}},
         {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "Where is she?"}}}}}}}},
  };
  for (const Json& fields : taken) {
    const Reply reply = Complete(fields);
    EXPECT_EQ(reply.status, 200) << fields << reply.body;
  }
  const Json refused[] = {
      {{"n", 2}},
      {{"tools", {{{"type", "function"}}}}},
      {{"response_format", {{"type", "json_object"}}}},
      {{"logprobs", true}},
      {{"temprature", 1}},
      {{"temperature", 3}},
      {{"max_tokens", 0}},
      {{"kvasir", 3}},
      {{"kvasir", {{"sesion", "s"}}}},
      {{"messages", Json::array()}},
      {{"messages", "hello"}},
      {{"messages", {3}}},
      {{"messages", {{{"role", "user"}}}}},
      {{"messages", {{{"role", "user"}, {"content", ""}}}}},
      {{"messages", {{{"role", "tool"}, {"content", "x"}}}}},
      {{"messages", {{{"role", "assistant"}, {"content", "x"}}}}},
      {{"messages", {{{"role", "user"}, {"content", {{{"type", "image_url"}}}}}}}},
  };
  for (const Json& fields : refused) {
    const Reply reply = Complete(fields);
    EXPECT_EQ(reply.status, 400) << fields << reply.body;
    EXPECT_EQ(BodyOf(reply)["error"]["type"], "invalid_request_error") << fields;
    EXPECT_TRUE(BodyOf(reply)["error"]["message"].is_string());
  }
  EXPECT_EQ(Fetch(server_.port(), "POST", "/v1/chat/completions", "[]").status, 400);
}

TEST_F(OpenAi, HasOneModel) {
  const Json list = BodyOf(Fetch(server_.port(), "GET", "/v1/models"));
  ASSERT_EQ(list["data"].size(), 1U);
  EXPECT_EQ(list["data"][0]["id"], "kvasir");
  const Reply other = Complete({{"model", "gpt-5"}});
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(BodyOf(other)["error"]["code"], "model_not_found");
}

}  // namespace
}  // namespace kvasir::http_test
