// The calls that mem0's self-hosted server documents, with its shapes.
#include <gtest/gtest.h>

#include <string>

#include "tests/http/raw_client.h"
#include "tests/http/test_service.h"

namespace kvasir::http_test {
namespace {

using http::Json;

class Mem0 : public ::testing::Test {
 protected:
  Reply Call(std::string_view method, std::string_view target, const Json& body) {
    return Fetch(server_.port(), method, target, body.dump());
  }
  Reply Call(std::string_view method, std::string_view target) {
    return Fetch(server_.port(), method, target);
  }
  std::string Add(const std::string& text, const std::string& user) {
    const Json body = {{"messages", {{{"role", "user"}, {"content", text}}}}, {"user_id", user}};
    return BodyOf(Call("POST", "/memories", body))["results"][0]["id"];
  }

  TestService server_;
};

TEST_F(Mem0, AddsAMemoryAndSaysSo) {
  const Reply reply = Call("POST", "/memories",
                           Json{{"messages", {{{"role", "user"}, {"content", "I like tea"}}}},
                                {"user_id", "ada"},
                                {"run_id", "r1"},
                                {"infer", false},
                                {"metadata", {{"topic", "taste"}}}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json result = BodyOf(reply)["results"][0];
  EXPECT_EQ(result["event"], "ADD");
  const Json memory = BodyOf(Call("GET", "/memories/" + result["id"].get<std::string>()));
  EXPECT_EQ(memory["memory"], result["memory"]);
  EXPECT_EQ(memory["user_id"], "ada");
  EXPECT_EQ(memory["run_id"], "r1");
  EXPECT_TRUE(memory["agent_id"].is_null());
  EXPECT_EQ(memory["metadata"]["topic"], "taste");
  EXPECT_TRUE(memory.contains("hash"));
}

TEST_F(Mem0, ListsAndSearchesOneUsersMemoriesOnly) {
  Add("I like tea", "ada");
  Add("I like tea too", "bob");
  const Json listed = BodyOf(Call("GET", "/memories?user_id=ada"))["results"];
  ASSERT_EQ(listed.size(), 1U);
  const Json found =
      BodyOf(Call("POST", "/search", Json{{"query", "tea"}, {"user_id", "bob"}}))["results"];
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["user_id"], "bob");
  EXPECT_EQ(found[0]["score"], 1.0);
}

TEST_F(Mem0, UpdatesAndKeepsTheHistory) {
  const std::string id = Add("tea", "ada");
  EXPECT_EQ(BodyOf(Call("PUT", "/memories/" + id, Json{{"text", "coffee"}}))["message"],
            "Memory updated successfully!");
  const Json history = BodyOf(Call("GET", "/memories/" + id + "/history"));
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0]["event"], "ADD");
  EXPECT_EQ(history[1]["event"], "UPDATE");
  EXPECT_EQ(history[1]["new_memory"], "coffee");
  EXPECT_EQ(history[1]["old_memory"], history[0]["new_memory"]);
}

TEST_F(Mem0, DeletesOneAllOfAUserAndEverything) {
  const std::string id = Add("tea", "ada");
  EXPECT_EQ(Call("DELETE", "/memories/" + id).status, 200);
  Add("more tea", "ada");
  Add("tea", "bob");
  EXPECT_EQ(Call("DELETE", "/memories?user_id=ada").status, 200);
  EXPECT_EQ(BodyOf(Call("GET", "/memories?user_id=ada"))["results"].size(), 0U);
  EXPECT_EQ(BodyOf(Call("GET", "/memories?user_id=bob"))["results"].size(), 1U);
  EXPECT_EQ(Call("POST", "/reset").status, 200);
  EXPECT_EQ(BodyOf(Call("GET", "/memories?user_id=bob"))["results"].size(), 0U);
}

TEST_F(Mem0, AnswersMistakesWithADetail) {
  const Reply nobody = Call("GET", "/memories");
  EXPECT_EQ(nobody.status, 400);
  EXPECT_EQ(BodyOf(nobody)["detail"], "At least one identifier is required.");
  EXPECT_EQ(Call("DELETE", "/memories").status, 400);
  EXPECT_EQ(Call("POST", "/search", Json{{"query", "x"}}).status, 400);
  const Reply unknown = Call("GET", "/memories/nobody");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_TRUE(BodyOf(unknown).contains("detail"));
}

}  // namespace
}  // namespace kvasir::http_test
