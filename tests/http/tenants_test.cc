// Two tenants, one server: what the one has, the other can neither read nor learn of.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "http/keys.h"
#include "http/mcp/tools.h"
#include "http/random.h"
#include "http/router.h"
#include "tests/http/raw_client.h"
#include "tests/http/test_service.h"
#include "tests/unit/http/mcp_client.h"

namespace kvasir::http_test {
namespace {

using http::Json;

class Tenants : public ::testing::Test {
 protected:
  Tenants() {
    std::filesystem::create_directory(folder_);
    ada_ = MakeKey("ada", "read,write,forget");
    bob_ = MakeKey("bob", "read,write,forget");
    reader_ = MakeKey("ada", "read");
    admin_ = MakeKey("*", "admin");
    http::ServiceOptions options;
    options.key_file = Path();
    server_ = std::make_unique<TestService>(std::move(options));
  }
  ~Tenants() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path() const { return (folder_ / "store.keys").string(); }
  std::string MakeKey(const std::string& space, std::string_view scopes) {
    return *http::CreateKey(Path(), "t", space, *http::Scopes::Parse(scopes), Timestamp());
  }
  Reply As(const std::string& key, std::string_view method, std::string_view target,
           const std::string& body = "", const std::string& extra = "") {
    return Fetch(server_->port(), method, target, body,
                 "Authorization: Bearer " + key + "\r\n" + extra);
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("kvasir-tenants-" + http::RandomHex(8));
  std::string ada_, bob_, reader_, admin_;
  std::unique_ptr<TestService> server_;
};

TEST_F(Tenants, NobodyGetsInWithoutAKey) {
  for (const http::Route& route : http::AllRoutes()) {
    std::string target(route.pattern);
    if (const auto at = target.find("{id}"); at != std::string::npos)
      target = target.substr(0, at) + "x" + target.substr(at + 4);
    const Reply reply = Fetch(server_->port(), route.method, target);
    EXPECT_EQ(reply.status == 401, route.scope != http::Scope::kNone) << target;
    EXPECT_EQ(As("kv_00000000_00", route.method, target).status, reply.status) << target;
  }
}

TEST_F(Tenants, AKeyDoesWhatItsScopesSay) {
  EXPECT_EQ(As(reader_, "GET", "/v1/memories").status, 200);
  EXPECT_EQ(As(reader_, "POST", "/v1/memories", "{\"text\":\"a\"}").status, 403);
  EXPECT_EQ(As(reader_, "DELETE", "/v1/memories/a").status, 403);
  EXPECT_EQ(As(ada_, "GET", "/metrics").status, 403);
  EXPECT_EQ(As(admin_, "GET", "/metrics").status, 200);
}

TEST_F(Tenants, AKeyCannotNameAnotherSpace) {
  for (const std::string& key : {ada_, bob_}) {
    As(key, "POST", "/v1/memories", R"({"text":"something"})");
  }
  EXPECT_EQ(As(ada_, "GET", "/v1/memories?space=ada").status, 200);
  EXPECT_EQ(As(ada_, "GET", "/v1/memories?space=bob").status, 403);
  EXPECT_EQ(As(ada_, "GET", "/v1/memories?space=nobody").status, 403);
  EXPECT_EQ(As(admin_, "GET", "/v1/memories?space=bob").status, 200);
}

constexpr std::string_view kId = "@ID@";

/// A request of a tenant; kId stands for an id, which may be the other tenant's.
struct Visit {
  std::string method;
  std::string target;
  std::string body = {};
  std::string extra = {};
  std::string type = "application/json";

  bool names_an_id() const { return (target + body).find(kId) != std::string::npos; }
  Visit With(const std::string& id) const {
    Visit visit = *this;
    for (std::string* text : {&visit.target, &visit.body, &visit.extra}) {
      if (const auto at = text->find(kId); at != std::string::npos)
        text->replace(at, kId.size(), id);
    }
    return visit;
  }
};

Visit McpCall(const std::string& tool, const Json& arguments) {
  const Json ask = http::mcp::ModernAsk(1, "tools/call", http::mcp::ToolParams(tool, arguments));
  return {"POST", "/mcp", ask.dump(),
          "Accept: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
          "Mcp-Method: tools/call\r\nMcp-Name: " +
              tool + "\r\n"};
}

Visit McpRead(const std::string& uri) {
  return {"POST", "/mcp", http::mcp::ModernAsk(1, "resources/read", {{"uri", uri}}).dump(),
          "Accept: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
          "Mcp-Method: resources/read\r\nMcp-Name: " +
              uri + "\r\n"};
}

/// Everything that a tenant can ask of routes and tools, those that name ids last.
std::vector<Visit> EveryVisit() {
  const std::string filters = R"({"user_id":"bob"})";
  const std::string turn = R"([{"role":"user","content":"What is kept here?"}])";
  return {
      {"POST", "/v1/memories", R"({"id":"bobs","text":"ada's own","user_id":"ada"})"},
      {"POST", "/v1/memories:batch", "{\"id\":\"bobs\",\"text\":\"ada's own\"}\n", "",
       "application/x-ndjson"},
      {"GET", "/v1/memories"},
      {"GET", "/v1/memories?filters=%7B%22user_id%22:%22bob%22%7D"},
      {"POST", "/v1/memories:forget", R"({"filters":)" + filters + "}"},
      {"POST", "/v1/memories:forget", R"({"session":"bobs session"})"},
      {"POST", "/v1/recall", R"({"query":"secret"})"},
      {"POST", "/v1/ask", R"({"question":"secret","explain":true})"},
      {"GET", "/v1/spaces"},
      {"GET", "/v1/sessions"},
      {"GET", "/v1/stats"},
      {"GET", "/v1/openapi.json"},
      {"GET", "/healthz"},
      {"GET", "/livez"},
      {"GET", "/readyz"},
      {"GET", "/metrics"},
      {"POST", "/v1/backup"},
      {"GET", "/"},
      {"GET", "/inspector/app.js"},
      {"POST", "/v1/chat/completions", R"({"model":"kvasir","messages":)" + turn + "}"},
      {"GET", "/v1/models"},
      {"POST", "/memories", R"({"user_id":"bob","messages":)" + turn + "}"},
      {"GET", "/memories?user_id=bob"},
      {"DELETE", "/memories?user_id=bob"},
      {"POST", "/search", R"({"query":"secret","user_id":"bob"})"},
      {"GET", "/v1/ping/"},
      {"POST", "/v3/memories/add/", R"({"user_id":"bob","messages":)" + turn + "}"},
      {"POST", "/v3/memories/", R"({"filters":)" + filters + "}"},
      {"POST", "/v3/memories/search/", R"({"query":"secret","filters":)" + filters + "}"},
      {"DELETE", "/v1/memories/?user_id=bob"},
      {"POST", "/reset"},
      McpCall("memory_remember", {{"id", "bobs"}, {"text", "ada's own"}}),
      McpCall("memory_recall", {{"query", "secret"}}),
      McpCall("memory_ask", {{"question", "secret"}}),
      McpCall("memory_list", Json::object()),
      McpCall("memory_forget", {{"session", "bobs session"}}),
      {"POST", "/reset"},
      {"GET", "/v1/tasks/@ID@"},
      {"GET", "/v1/tasks/@ID@/results"},
      {"GET", "/v1/memories/@ID@"},
      {"GET", "/v1/memories/@ID@/history"},
      {"PUT", "/v1/memories/@ID@", R"({"text":"x"})", "If-Match: *\r\n"},
      {"DELETE", "/v1/memories/@ID@"},
      {"POST", "/v1/memories:forget", R"({"ids":["@ID@"]})"},
      {"GET", "/memories/@ID@"},
      {"GET", "/memories/@ID@/history"},
      {"PUT", "/memories/@ID@", R"({"text":"x"})"},
      {"DELETE", "/memories/@ID@"},
      {"GET", "/v1/memories/@ID@/"},
      {"GET", "/v1/memories/@ID@/history/"},
      {"PUT", "/v1/memories/@ID@/", R"({"text":"x"})"},
      {"DELETE", "/v1/memories/@ID@/"},
      McpCall("memory_get", {{"id", kId}}),
      McpCall("memory_update", {{"id", kId}, {"text", "x"}}),
      McpCall("memory_forget", {{"ids", {kId}}}),
      McpRead("memory://bob/@ID@"),
      McpRead("memory://ada/@ID@"),
  };
}

/// The pattern of the route that serves this visit.
std::string PatternOf(const Visit& visit) {
  std::vector<std::string> path = {""};
  for (const char c : visit.target.substr(1, visit.target.find('?') - 1)) {
    if (c == '/') {
      path.emplace_back();
    } else {
      path.back().push_back(c);
    }
  }
  const auto match = http::FindRoute(visit.method, path);
  return match.route == nullptr ? "none" : visit.method + " " + std::string(match.route->pattern);
}

TEST_F(Tenants, AreAskedForOnEveryRouteAndTool) {
  std::set<std::string> visited;
  for (const Visit& visit : EveryVisit()) visited.insert(PatternOf(visit));
  for (const http::Route& route : http::AllRoutes()) {
    EXPECT_TRUE(visited.contains(std::string(route.method) + " " + std::string(route.pattern)))
        << route.method << " " << route.pattern;
  }
  for (const Json& tool : http::mcp::ListTools(http::Principal(), /*read_only=*/false)) {
    const std::string named = "Mcp-Name: " + tool["name"].get<std::string>() + "\r\n";
    const auto calls = EveryVisit();
    EXPECT_TRUE(std::any_of(calls.begin(), calls.end(), [&named](const Visit& visit) {
      return visit.extra.find(named) != std::string::npos;
    })) << named;
  }
}

TEST_F(Tenants, CannotReadOrChangeWhatTheOtherHas) {
  const std::string secret = "bob's secret";
  As(bob_, "POST", "/v1/memories",
     Json{{"id", "bobs"}, {"text", secret}, {"user_id", "bob"}, {"session", "bobs session"}}
         .dump());
  const Reply task = Exchange(
      server_->port(), Request("POST", "/v1/memories:batch", "{\"text\":\"task\"}\n",
                               "Prefer: respond-async\r\nAuthorization: Bearer " + bob_ + "\r\n",
                               "application/x-ndjson"));
  const std::string task_id = BodyOf(task)["id"];
  for (const Visit& visit : EveryVisit()) {
    SCOPED_TRACE(visit.method + " " + visit.target + " " + visit.body);
    const auto ask = [&](const std::string& id) {
      const Visit one = visit.With(id);
      return Exchange(server_->port(),
                      Request(one.method, one.target, one.body,
                              "Authorization: Bearer " + ada_ + "\r\n" + one.extra, one.type));
    };
    const bool of_task = visit.target.starts_with("/v1/tasks/");
    const std::string id = of_task ? task_id : "bobs";
    const Reply theirs = ask(id);
    EXPECT_EQ(theirs.body.find(secret), std::string::npos) << theirs.body;
    if (visit.names_an_id()) {
      // As for an id that nobody has, but for the id itself.
      const std::string nobodys(id.size(), 'n');
      const Reply none = ask(nobodys);
      EXPECT_EQ(theirs.status, none.status);
      const auto plain = [](const Reply& reply, const std::string& named) {
        Json body = BodyOf(reply);
        if (body.is_object()) body.erase("request_id");
        std::string text = body.dump();
        for (auto at = text.find(named); at != std::string::npos; at = text.find(named, at)) {
          text.replace(at, named.size(), "ID");
        }
        return text;
      };
      EXPECT_EQ(plain(theirs, id), plain(none, nobodys));
    }
    EXPECT_EQ(BodyOf(As(bob_, "GET", "/v1/memories/bobs"))["text"], secret);
  }
}

TEST_F(Tenants, SeeTheirOwnSpaceOnly) {
  As(bob_, "POST", "/v1/memories", R"({"text":"bob's secret","session":"bobs session"})");
  As(ada_, "POST", "/v1/memories", R"({"text":"ada's own"})");
  for (const char* target : {"/v1/spaces", "/v1/sessions", "/v1/stats", "/v1/memories"}) {
    const Reply reply = As(ada_, "GET", target);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body.find("bob"), std::string::npos) << target << reply.body;
  }
  EXPECT_FALSE(BodyOf(As(ada_, "GET", "/v1/stats")).contains("disk_bytes"));
  EXPECT_TRUE(BodyOf(As(admin_, "GET", "/v1/stats")).contains("disk_bytes"));
}

TEST_F(Tenants, NeverReadAcrossInTenThousandRandomOperations) {
  const std::uint32_t seed = 20240607;
  std::mt19937 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const bool is_ada = random() % 2 == 0;
    const std::string& key = is_ada ? ada_ : bob_;
    const std::string mine = is_ada ? "ada" : "bob";
    const std::string other = is_ada ? "BOB" : "ADA";
    const std::string mark = is_ada ? "ADA" : "BOB";
    const std::string id = "id" + std::to_string(random() % 20);
    Reply reply;
    switch (random() % 8) {
      case 0:
        reply = As(key, "POST", "/v1/memories",
                   Json{{"id", id}, {"text", mark + std::to_string(i)}, {"user_id", "u"}}.dump());
        break;
      case 1:
        reply = As(key, "GET", "/v1/memories/" + id);
        break;
      case 2:
        reply = As(key, "GET", "/v1/memories?limit=5");
        break;
      case 3:
        reply = As(key, "POST", "/v1/recall", Json{{"query", random() % 2 ? other : mark}}.dump());
        break;
      case 4:
        reply = As(key, "PUT", "/v1/memories/" + id,
                   Json{{"text", mark + " edited " + std::to_string(i)}}.dump(), "If-Match: *\r\n");
        break;
      case 5:
        reply = As(key, "DELETE", "/v1/memories/" + id);
        break;
      case 6:
        reply = As(key, "POST", "/search", Json{{"query", other}, {"user_id", "u"}}.dump());
        break;
      default:
        reply = As(key, "GET", "/memories?user_id=u");
        break;
    }
    ASSERT_LT(reply.status, 500) << reply.body;
    ASSERT_EQ(reply.body.find(other), std::string::npos)
        << "seed " << seed << " step " << i << ": " << mine << " read " << reply.body;
  }
}

TEST_F(Tenants, AreShutOutSoonAfterTheirKeyIsRevoked) {
  ASSERT_EQ(As(bob_, "GET", "/v1/memories").status, 200);
  const auto keys = http::KeyFile::Load(Path());
  ASSERT_TRUE(http::RevokeKey(Path(), keys->Find(bob_)->id, Timestamp()).ok());
  int status = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  do {
    status = As(bob_, "GET", "/v1/memories").status;
  } while (status != 401 && std::chrono::steady_clock::now() < end);
  EXPECT_EQ(status, 401);
  EXPECT_EQ(As(ada_, "GET", "/v1/memories").status, 200);
}

TEST_F(Tenants, MayShowTheirKeyAsMem0ClientsDo) {
  EXPECT_EQ(Fetch(server_->port(), "GET", "/memories?user_id=u", "", "X-API-Key: " + ada_ + "\r\n")
                .status,
            200);
  EXPECT_EQ(Fetch(server_->port(), "GET", "/memories?user_id=u", "",
                  "Authorization: Token " + ada_ + "\r\n")
                .status,
            200);
}

TEST_F(Tenants, LeaveNoKeyInTheLog) {
  As(ada_, "GET", "/v1/memories");
  const std::string log = server_->log();
  EXPECT_EQ(log.find(ada_), std::string::npos);
  EXPECT_NE(log.find("\"key\":\""), std::string::npos);
}

}  // namespace
}  // namespace kvasir::http_test
