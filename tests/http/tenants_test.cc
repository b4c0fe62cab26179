// Two tenants, one server: what the one has, the other can neither read nor learn of.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "http/keys.h"
#include "http/random.h"
#include "tests/http/raw_client.h"
#include "tests/http/test_service.h"

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

TEST_F(Tenants, TheOthersIdsAnswerAsUnknownOnesDo) {
  As(bob_, "POST", "/v1/memories", R"({"id":"bobs","text":"bob's secret","user_id":"bob"})");
  const std::vector<std::tuple<std::string, std::string, std::string, std::string>> calls = {
      {"GET", "/v1/memories/ID", "", ""},
      {"GET", "/v1/memories/ID/history", "", ""},
      {"PUT", "/v1/memories/ID", R"({"text":"x"})", "If-Match: *\r\n"},
      {"DELETE", "/v1/memories/ID", "", ""},
      {"POST", "/v1/memories:forget", R"({"ids":["ID"]})", ""},
      {"GET", "/memories/ID", "", ""},
      {"GET", "/memories/ID/history", "", ""},
      {"PUT", "/memories/ID", R"({"text":"x"})", ""},
      {"DELETE", "/memories/ID", "", ""},
  };
  const auto with = [](std::string text, const std::string& id) {
    const auto at = text.find("ID");
    return at == std::string::npos ? text : text.replace(at, 2, id);
  };
  for (const auto& [method, target, body, extra] : calls) {
    const Reply theirs = As(ada_, method, with(target, "bobs"), with(body, "bobs"), extra);
    const Reply none = As(ada_, method, with(target, "none"), with(body, "none"), extra);
    EXPECT_EQ(theirs.status, none.status) << method << target;
    Json left = BodyOf(theirs);
    Json right = BodyOf(none);
    left.erase("request_id");
    right.erase("request_id");
    EXPECT_EQ(with(left.dump(), "ID").size(), right.dump().size()) << method << target;
  }
  EXPECT_EQ(As(bob_, "GET", "/v1/memories/bobs").status, 200);
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
