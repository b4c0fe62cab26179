// POST /mcp: headers against the body, both eras, streaming, keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/keys.h"
#include "http/random.h"
#include "tests/http/test_service.h"
#include "tests/unit/http/mcp_client.h"

namespace kvasir::http_test {
namespace {

using http::Json;
using http::mcp::ModernAsk;
using http::mcp::ToolParams;
using ::testing::HasSubstr;
using ::testing::Not;

class McpHttp : public ::testing::Test {
 protected:
  McpHttp() {
    std::filesystem::create_directory(folder_);
    http::ServiceOptions options;
    options.key_file = Path();
    options.ping_interval = std::chrono::milliseconds(50);
    server_ = std::make_unique<TestService>(std::move(options));
  }
  ~McpHttp() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path() const { return (folder_ / "store.keys").string(); }
  std::string MakeKey(const std::string& space, std::string_view scopes) {
    return *http::CreateKey(Path(), "t", space, *http::Scopes::Parse(scopes), Timestamp());
  }
  Reply Post(const std::string& body, const std::string& headers) {
    return Fetch(server_->port(), "POST", "/mcp", body,
                 "Accept: application/json, text/event-stream\r\n" + headers);
  }
  /// As a client of 2026-07-28 does it.
  Reply Modern(const Json& ask, const std::string& extra = "") {
    std::string headers =
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + ask["method"].get<std::string>() +
        "\r\n" + extra;
    for (const char* field : {"name", "uri"}) {
      if (!ask["params"].contains(field)) continue;
      headers += "Mcp-Name: " + ask["params"][field].get<std::string>() + "\r\n";
    }
    return Post(ask.dump(), headers);
  }
  Json Call(const std::string& key, const std::string& tool, const Json& arguments) {
    const Reply reply = Modern(ModernAsk(1, "tools/call", ToolParams(tool, arguments)),
                               "Authorization: Bearer " + key + "\r\n");
    return BodyOf(reply)["result"];
  }
  static int CodeOf(const Reply& reply) {
    const Json body = BodyOf(reply);
    return body.contains("error") ? body["error"]["code"].get<int>() : 0;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("kvasir-mcp-" + http::RandomHex(8));
  std::unique_ptr<TestService> server_;
};

constexpr const char* kModern = "MCP-Protocol-Version: 2026-07-28\r\n";

TEST_F(McpHttp, AnswersOneMessageARequest) {
  const Reply reply = Modern(ModernAsk(7, "tools/list"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_EQ(BodyOf(reply)["id"], 7);
  EXPECT_EQ(BodyOf(reply)["result"]["tools"].size(), 7U);
  EXPECT_FALSE(reply.headers.contains("mcp-session-id"));
  EXPECT_EQ(Fetch(server_->port(), "GET", "/mcp").status, 405);
  EXPECT_EQ(Fetch(server_->port(), "DELETE", "/mcp").status, 405);
}

TEST_F(McpHttp, RefusesHeadersThatSayOtherThanTheBody) {
  const std::string list = ModernAsk(1, "tools/list").dump();
  const std::string get =
      ModernAsk(1, "tools/call", ToolParams("memory_list", Json::object())).dump();
  const std::pair<std::string, std::string> cases[] = {
      {list, ""},
      {list, kModern},
      {list, std::string(kModern) + "Mcp-Method: tools/call\r\n"},
      {list, "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n"},
      {get, std::string(kModern) + "Mcp-Method: tools/call\r\n"},
      {get, std::string(kModern) + "Mcp-Method: tools/call\r\nMcp-Name: memory_get\r\n"},
      {get, std::string(kModern) + "Mcp-Method: tools/call\r\nMcp-Name: =?base64?!!!!?=\r\n"},
      {http::mcp::Ask(1, "tools/list").dump(), ""},
  };
  for (const auto& [body, headers] : cases) {
    const Reply reply = Post(body, headers);
    EXPECT_EQ(reply.status, 400) << headers;
    EXPECT_EQ(CodeOf(reply), -32020) << headers << reply.body;
    EXPECT_EQ(BodyOf(reply)["id"], 1);
  }
  EXPECT_EQ(Post(get, std::string(kModern) +
                          "Mcp-Method: tools/call\r\nMcp-Name: =?base64?bWVtb3J5X2xpc3Q=?=\r\n")
                .status,
            200);
}

TEST_F(McpHttp, NamesItsRevisionsToOneThatItDoesNotKnow) {
  Json ask = ModernAsk(1, "tools/list");
  ask["params"]["_meta"][http::mcp::kRevisionField] = "2031-01-01";
  const Reply reply = Post(ask.dump(), "MCP-Protocol-Version: 2031-01-01\r\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(CodeOf(reply), -32022);
}

TEST_F(McpHttp, TellsErrorsInTheWordsOfTheProtocol) {
  const Reply unknown = Modern(ModernAsk(1, "prompts/list"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(CodeOf(unknown), -32601);
  const Reply tool = Modern(ModernAsk(1, "tools/call", ToolParams("nothing", Json::object())));
  EXPECT_EQ(tool.status, 400);
  EXPECT_EQ(CodeOf(tool), -32602);
  EXPECT_EQ(CodeOf(Post("{", kModern)), -32700);
  EXPECT_EQ(CodeOf(Post(std::string(1000, '['), kModern)), -32700);
  EXPECT_EQ(CodeOf(Post("[]", kModern)), -32600);
  EXPECT_EQ(CodeOf(Post(R"({"jsonrpc":"2.0","id":1,"result":{}})", kModern)), -32600);
  const Reply text =
      Exchange(server_->port(), Request("POST", "/mcp", "{}", kModern, "text/plain"));
  EXPECT_EQ(text.status, 415);
  EXPECT_EQ(Post("{}", "Origin: https://evil.example\r\n").status, 403);
}

TEST_F(McpHttp, ServesClientsThatShakeHands) {
  const Reply hello =
      Post(http::mcp::Ask(0, "initialize", {{"protocolVersion", "2025-06-18"}}).dump(), "");
  EXPECT_EQ(hello.status, 200);
  EXPECT_EQ(BodyOf(hello)["result"]["protocolVersion"], "2025-06-18");
  const std::string version = "MCP-Protocol-Version: 2025-06-18\r\n";
  const Reply initialized =
      Post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", version);
  EXPECT_EQ(initialized.status, 202);
  EXPECT_EQ(initialized.body, "");
  EXPECT_EQ(Post(http::mcp::Ask(1, "ping").dump(), version).status, 200);
  // Their clients take 404 as the end of a session.
  const Reply unknown = Post(http::mcp::Ask(1, "prompts/list").dump(), version);
  EXPECT_EQ(unknown.status, 200);
  EXPECT_EQ(CodeOf(unknown), -32601);
}

TEST_F(McpHttp, StreamsProgressToThoseWhoAsk) {
  Json params = ToolParams("memory_ask", {{"question", "Which river?"}});
  params["_meta"]["progressToken"] = 5;
  const Reply reply = Modern(ModernAsk(1, "tools/call", params));
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_THAT(reply.body, HasSubstr("notifications/progress"));
  const auto last = reply.body.rfind("data: ");
  const Json result = Json::parse(reply.body.substr(last + 6))["result"];
  EXPECT_EQ(result["structuredContent"]["answer"], "It is the\nTagus.");
}

TEST_F(McpHttp, StopsTheWorkOfAClientThatIsGone) {
  server_->memory().AnswerForEver(true);
  Json params = ToolParams("memory_ask", {{"question", "Which river?"}});
  params["_meta"]["progressToken"] = 5;
  const std::string body = ModernAsk(1, "tools/call", params).dump();
  RawClient client(server_->port());
  client.Send(Request("POST", "/mcp", body,
                      "Accept: text/event-stream\r\n" + std::string(kModern) +
                          "Mcp-Method: tools/call\r\nMcp-Name: memory_ask\r\n"));
  client.ReadUntil("Tagus");
  client.Close();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server_->memory().stopped_asks() == 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_->memory().stopped_asks(), 1);
}

TEST_F(McpHttp, AKeyUsesTheToolsOfItsScopesInItsSpace) {
  const std::string ada = MakeKey("ada", "read,write,forget");
  const std::string bob = MakeKey("bob", "read,write,forget");
  const std::string reader = MakeKey("ada", "read");
  EXPECT_EQ(Modern(ModernAsk(1, "tools/list")).status, 401);
  EXPECT_EQ(Call(bob, "memory_remember", {{"id", "bobs"}, {"text", "bob's secret"}})["isError"],
            false);
  EXPECT_EQ(Call(ada, "memory_remember", {{"id", "adas"}, {"text", "ada's own"}})["isError"],
            false);
  EXPECT_EQ(Call(reader, "memory_get", {{"id", "adas"}})["isError"], false);
  EXPECT_EQ(Call(reader, "memory_forget", {{"ids", {"adas"}}})["isError"], true);
  const std::pair<const char*, Json> calls[] = {
      {"memory_get", {{"id", "ID"}}},
      {"memory_update", {{"id", "ID"}, {"text", "x"}}},
      {"memory_forget", {{"ids", {"ID"}}}},
  };
  for (const auto& [tool, arguments] : calls) {
    const auto with = [&arguments = arguments](const std::string& id) {
      std::string text = arguments.dump();
      return Json::parse(text.replace(text.find("ID"), 2, id));
    };
    std::string theirs = Call(ada, tool, with("bobs")).dump();
    theirs.replace(theirs.find("bobs"), 4, "none");
    EXPECT_EQ(theirs, Call(ada, tool, with("none")).dump()) << tool;
  }
  EXPECT_THAT(Call(ada, "memory_list", Json::object()).dump(), Not(HasSubstr("bob")));
  EXPECT_THAT(Call(ada, "memory_recall", {{"query", "secret"}}).dump(), Not(HasSubstr("bob")));
  EXPECT_EQ(Call(bob, "memory_get", {{"id", "bobs"}})["isError"], false);
}

}  // namespace
}  // namespace kvasir::http_test
