// The /v1 routes over loopback, in front of a scripted memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/http/raw_client.h"
#include "tests/http/test_service.h"

namespace kvasir::http_test {
namespace {

using http::Json;
using ::testing::HasSubstr;

class Rest : public ::testing::Test {
 protected:
  Reply Call(std::string_view method, std::string_view target, const Json& body,
             std::string_view extra = "") {
    return Fetch(server_.port(), method, target, body.dump(), extra);
  }
  Reply Call(std::string_view method, std::string_view target, std::string_view extra = "") {
    return Fetch(server_.port(), method, target, "", extra);
  }
  /// The receipt.
  Json Remember(const Json& body) { return BodyOf(Call("POST", "/v1/memories", body)); }

  TestService server_;
};

TEST_F(Rest, RemembersAndGivesBackWhatWasSaid) {
  const Reply created = Call("POST", "/v1/memories",
                             Json{{"text", "Ada moved to Lisbon."},
                                  {"session", "chat-7"},
                                  {"trust", "untrusted"},
                                  {"metadata", {{"topic", "home"}}}});
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string id = BodyOf(created)["id"];
  const Reply read = Call("GET", "/v1/memories/" + id);
  ASSERT_EQ(read.status, 200);
  const Json memory = BodyOf(read);
  EXPECT_EQ(memory["text"], "Ada moved to Lisbon.");
  EXPECT_EQ(memory["session"], "chat-7");
  EXPECT_EQ(memory["metadata"]["topic"], "home");
  EXPECT_EQ(memory["provenance"]["channel"], "rest");
  EXPECT_EQ(memory["provenance"]["trust"], "untrusted");
  EXPECT_EQ(read.headers.at("etag"), memory["etag"].dump());
  EXPECT_EQ(created.headers.at("etag"), read.headers.at("etag"));
  EXPECT_EQ(read.headers.at("x-content-type-options"), "nosniff");
}

TEST_F(Rest, SaysWhenTheSameIsRememberedAgain) {
  const Json body = {{"id", "x"}, {"text", "once"}};
  Remember(body);
  const Reply again = Call("POST", "/v1/memories", body);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(BodyOf(again)["outcome"], "unchanged");
}

TEST_F(Rest, AnswersMistakesWithProblemDocuments) {
  const Reply reply = Call("POST", "/v1/memories", Json{{"text", "a"}, {"sesion", "b"}});
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  const Json problem = BodyOf(reply);
  EXPECT_EQ(problem["code"], "invalid_argument");
  EXPECT_EQ(problem["title"], "Bad Request");
  EXPECT_EQ(problem["detail"], "there is no field \"sesion\" here");
  EXPECT_EQ(problem["retryable"], false);
  EXPECT_EQ(problem["request_id"], reply.headers.at("x-request-id"));
}

TEST_F(Rest, TellsApartUnknownPathsMethodsAndTypes) {
  EXPECT_EQ(Call("GET", "/v2").status, 404);
  const Reply method = Call("DELETE", "/v1/recall");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("allow"), "OPTIONS, POST");
  const Reply type = Exchange(server_.port(),
                              Request("POST", "/v1/recall", "{\"query\":\"a\"}", "", "text/plain"));
  EXPECT_EQ(type.status, 415);
  EXPECT_EQ(Call("GET", "/v1/memories/nobody").status, 404);
}

TEST_F(Rest, EditsOnlyWhatTheCallerHasRead) {
  const std::string id = Remember({{"text", "first"}})["id"];
  const std::string target = "/v1/memories/" + id;
  const std::string read = Call("GET", target).headers.at("etag");
  EXPECT_EQ(Call("PUT", target, Json{{"text", "second"}}).status, 428);
  EXPECT_EQ(Call("PUT", target, Json{{"text", "second"}}, "If-Match: " + read + "\r\n").status,
            200);
  const Reply stale = Call("PUT", target, Json{{"text", "third"}}, "If-Match: " + read + "\r\n");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(BodyOf(stale)["code"], "stale");
  EXPECT_EQ(Call("PUT", target, Json{{"text", "third"}}, "If-Match: \"\"\r\n").status, 412);
  EXPECT_EQ(Call("PUT", target, Json{{"text", "third"}}, "If-Match: *\r\n").status, 200);
  const Json versions = BodyOf(Call("GET", target + "/history"))["versions"];
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_EQ(versions[0]["text"], "first");
  EXPECT_EQ(versions[2]["text"], "third");
}

TEST_F(Rest, ChangesTheTagWithMetadataToo) {
  const std::string id = Remember({{"text", "first"}})["id"];
  const std::string target = "/v1/memories/" + id;
  const std::string read = Call("GET", target).headers.at("etag");
  const Json first = {{"metadata", {{"topic", "home"}}}};
  const Reply edited = Call("PUT", target, first, "If-Match: " + read + "\r\n");
  ASSERT_EQ(edited.status, 200);
  EXPECT_NE(edited.headers.at("etag"), read);
  const Json second = {{"metadata", {{"topic", "work"}}}};
  EXPECT_EQ(Call("PUT", target, second, "If-Match: " + read + "\r\n").status, 412);
  EXPECT_EQ(Call("PUT", target, second, "If-Match: " + edited.headers.at("etag") + "\r\n").status,
            200);
}

TEST_F(Rest, ListsInPagesWithoutGapsOrRepeats) {
  for (int i = 0; i < 70; ++i) Remember({{"id", "id" + std::to_string(i)}, {"text", "t"}});
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const Json page = BodyOf(Call("GET", "/v1/memories?limit=33" + cursor));
    for (const Json& memory : page["memories"]) ids.push_back(memory["id"]);
    cursor =
        page["next_cursor"].is_null() ? "" : "&cursor=" + page["next_cursor"].get<std::string>();
  } while (!cursor.empty());
  ASSERT_EQ(ids.size(), 70U);
  for (int i = 0; i < 70; ++i)
    EXPECT_EQ(ids[static_cast<std::size_t>(i)], "id" + std::to_string(i));
}

TEST_F(Rest, ListsWithoutTextsAndWithFilters) {
  Remember({{"text", "a"}, {"metadata", {{"topic", "home"}}}});
  Remember({{"text", "b"}, {"metadata", {{"topic", "work"}}}});
  const Json basic = BodyOf(Call("GET", "/v1/memories?view=basic"));
  ASSERT_EQ(basic["memories"].size(), 2U);
  EXPECT_FALSE(basic["memories"][0].contains("text"));
  const Json home = BodyOf(Call("GET", "/v1/memories?filters=%7B%22topic%22:%22home%22%7D"));
  ASSERT_EQ(home["memories"].size(), 1U);
  EXPECT_EQ(home["memories"][0]["text"], "a");
  EXPECT_EQ(Call("GET", "/v1/memories?limit=0").status, 400);
  EXPECT_EQ(Call("GET", "/v1/memories?limits=5").status, 400);
}

TEST_F(Rest, ForgetsOneWayAtATimeAndLooksFirst) {
  Remember({{"id", "a"}, {"text", "a"}, {"session", "s"}});
  Remember({{"id", "b"}, {"text", "b"}, {"session", "s"}});
  EXPECT_EQ(Call("POST", "/v1/memories:forget", Json::object()).status, 400);
  EXPECT_EQ(Call("POST", "/v1/memories:forget", Json{{"ids", Json::array()}}).status, 400);
  EXPECT_EQ(Call("POST", "/v1/memories:forget", Json{{"ids", {"a"}}, {"session", "s"}}).status,
            400);
  const Json dry =
      BodyOf(Call("POST", "/v1/memories:forget", Json{{"session", "s"}, {"dry_run", true}}));
  EXPECT_EQ(dry["memories"], 2);
  EXPECT_EQ(dry["dry_run"], true);
  EXPECT_EQ(Call("POST", "/v1/memories:forget", Json{{"session", "s"}, {"max", 1}}).status, 409);
  EXPECT_EQ(Call("GET", "/v1/memories/a").status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/memories/a").status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/memories/a").status, 404);
  EXPECT_EQ(BodyOf(Call("POST", "/v1/memories:forget", Json{{"whole_space", true}}))["memories"],
            1);
}

TEST_F(Rest, RecallsWithTheScoresOfEachChannel) {
  Remember({{"text", "Ada moved to Lisbon."}});
  const Json found =
      BodyOf(Call("POST", "/v1/recall", Json{{"query", "Lisbon"}, {"explain", true}}));
  ASSERT_EQ(found["hits"].size(), 1U);
  EXPECT_EQ(found["hits"][0]["lexical"], 3.5);
  EXPECT_TRUE(found["hits"][0]["latent"].is_null());
  EXPECT_EQ(found["hits"][0]["layers"][0]["layer"], 15);
  EXPECT_FALSE(found.contains("complete"));
  EXPECT_EQ(
      BodyOf(Call("POST", "/v1/recall", Json{{"query", "Lisbon"}, {"wait", false}}))["complete"],
      false);
  EXPECT_EQ(Call("POST", "/v1/recall", Json{{"query", ""}}).status, 400);
  EXPECT_EQ(Call("POST", "/v1/recall", Json{{"query", "a"}, {"top_k", 1001}}).status, 400);
  EXPECT_EQ(Call("POST", "/v1/recall", Json{{"query", "a"}, {"latent", false}, {"lexical", false}})
                .status,
            400);
}

TEST_F(Rest, RemembersABatchAndAnswersLineByLine) {
  std::string lines = "{\"id\":\"a\",\"text\":\"one\"}\n\nnonsense\n{\"text\":\"\\uFFFF\"}\r\n";
  for (int i = 0; i < 100; ++i) lines += "{\"text\":\"line\"}\n";
  lines += "{\"text\":\"last, without an end\"}";
  const Reply reply = Exchange(
      server_.port(), Request("POST", "/v1/memories:batch", lines, "", "application/x-ndjson"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  std::vector<Json> results;
  for (std::size_t at = 0; at < reply.body.size();) {
    const auto end = reply.body.find('\n', at);
    results.push_back(Json::parse(reply.body.substr(at, end - at)));
    at = end + 1;
  }
  ASSERT_EQ(results.size(), 104U);
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i]["line"], i + 1);
  EXPECT_EQ(results[0]["outcome"], "created");
  EXPECT_EQ(results[1]["error"]["code"], "invalid_argument");
  EXPECT_EQ(results[103]["outcome"], "created");
}

TEST_F(Rest, StopsABatchAtTenThousandLines) {
  std::string lines;
  for (int i = 0; i < 10'005; ++i) lines += "{}\n";
  const Reply reply = Exchange(
      server_.port(), Request("POST", "/v1/memories:batch", lines, "", "application/x-ndjson"));
  EXPECT_EQ(std::count(reply.body.begin(), reply.body.end(), '\n'), 10'001);
  EXPECT_THAT(reply.body, HasSubstr("at most 10000 lines"));
}

TEST_F(Rest, DoesOnceWhatHasAnIdempotencyKey) {
  const std::string key = "Idempotency-Key: order-7\r\n";
  const Reply first = Call("POST", "/v1/memories", Json{{"text", "once"}}, key);
  ASSERT_EQ(first.status, 201);
  EXPECT_FALSE(first.headers.contains("idempotent-replayed"));
  const Reply again = Call("POST", "/v1/memories", Json{{"text", "once"}}, key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.headers.at("idempotent-replayed"), "true");
  EXPECT_EQ(BodyOf(again)["id"], BodyOf(first)["id"]);
  EXPECT_EQ(BodyOf(Call("GET", "/v1/memories"))["memories"].size(), 1U);
  const Reply other = Call("POST", "/v1/memories", Json{{"text", "something else"}}, key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(BodyOf(other)["code"], "key_reused");
  const std::string long_key = "Idempotency-Key: " + std::string(201, 'k') + "\r\n";
  EXPECT_EQ(Call("POST", "/v1/memories", Json{{"text", "once"}}, long_key).status, 400);
}

TEST_F(Rest, DoesEachLineOfABatchOnce) {
  const std::string key = "Idempotency-Key: import-7\r\n";
  const auto send = [&](const std::string& lines) {
    return Exchange(server_.port(),
                    Request("POST", "/v1/memories:batch", lines, key, "application/x-ndjson"));
  };
  const Reply first = send("{\"text\":\"one\"}\n");
  const Reply again = send("{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
  EXPECT_THAT(first.body, ::testing::Not(HasSubstr("replayed")));
  EXPECT_THAT(again.body, HasSubstr("\"replayed\":true"));
  EXPECT_EQ(BodyOf(Call("GET", "/v1/memories"))["memories"].size(), 2U);
  EXPECT_THAT(send("{\"text\":\"three\"}\n").body, HasSubstr("key_reused"));
}

TEST_F(Rest, GoesOnWithABatchThatIsNotWaitedFor) {
  std::string lines = "nonsense\n";
  for (int i = 0; i < 100; ++i) lines += "{\"text\":\"line\"}\n";
  const Reply taken =
      Exchange(server_.port(), Request("POST", "/v1/memories:batch", lines,
                                       "Prefer: respond-async\r\n", "application/x-ndjson"));
  ASSERT_EQ(taken.status, 202) << taken.body;
  EXPECT_EQ(taken.headers.at("preference-applied"), "respond-async");
  const std::string task = taken.headers.at("location");
  Json state;
  do {
    state = BodyOf(Call("GET", task));
  } while (state["state"] == "waiting" || state["state"] == "running");
  EXPECT_EQ(state["state"], "done");
  EXPECT_EQ(state["lines"], 101);
  EXPECT_EQ(state["failed"], 1);
  const Reply results = Call("GET", task + "/results");
  EXPECT_EQ(results.headers.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(std::count(results.body.begin(), results.body.end(), '\n'), 101);
  EXPECT_EQ(BodyOf(Call("GET", "/v1/memories?limit=1000"))["memories"].size(), 100U);
  EXPECT_EQ(Call("GET", "/v1/tasks/unknown").status, 404);
}

TEST_F(Rest, KeepsSpacesApart) {
  Remember({{"id", "a"}, {"text", "mine"}, {"space", "one"}, {"session", "s"}});
  EXPECT_EQ(Call("GET", "/v1/memories/a").status, 404);
  EXPECT_EQ(Call("GET", "/v1/memories/a?space=one").status, 200);
  EXPECT_EQ(BodyOf(Call("GET", "/v1/spaces"))["spaces"][0]["name"], "one");
  EXPECT_EQ(BodyOf(Call("GET", "/v1/sessions?space=one"))["sessions"][0]["name"], "s");
  EXPECT_EQ(BodyOf(Call("GET", "/v1/stats"))["model"], "scripted");
}

TEST_F(Rest, ShowsASpaceThatWasNeverWrittenToAsEmptyUnlessItIsNamed) {
  EXPECT_EQ(BodyOf(Call("GET", "/v1/memories"))["memories"].size(), 0U);
  EXPECT_EQ(BodyOf(Call("GET", "/v1/sessions"))["sessions"].size(), 0U);
  EXPECT_EQ(BodyOf(Call("POST", "/v1/recall", Json{{"query", "a"}}))["candidates"], 0);
  EXPECT_EQ(BodyOf(Call("GET", "/memories?user_id=a"))["results"].size(), 0U);
  EXPECT_EQ(Call("POST", "/reset").status, 200);
  EXPECT_EQ(Call("GET", "/v1/memories?space=nowhere").status, 404);
}

TEST_F(Rest, TellsOperatorsHowItIs) {
  EXPECT_EQ(Call("GET", "/livez").status, 200);
  EXPECT_EQ(Call("GET", "/readyz").status, 200);
  EXPECT_THAT(
      Call("GET", "/metrics").body,
      HasSubstr("kvasir_http_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"} 1"));
  EXPECT_EQ(BodyOf(Call("GET", "/v1/openapi.json"))["openapi"], "3.1.0");
  server_.service().StartDraining();
  EXPECT_EQ(Call("GET", "/readyz").status, 503);
  EXPECT_EQ(Call("GET", "/livez").status, 200);
}

TEST_F(Rest, IsNotReadyWhileTheStoreIsBeingOpened) {
  server_.service().Attach(nullptr);
  EXPECT_EQ(Call("GET", "/readyz").status, 503);
  const Reply early = Call("GET", "/v1/memories");
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(BodyOf(early)["code"], "loading");
  EXPECT_EQ(early.headers.at("retry-after"), "1");
}

TEST_F(Rest, AnswersHeadWithoutABodyAndOldClientsToo) {
  const Reply head = Call("HEAD", "/livez");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "15");
  EXPECT_TRUE(head.body.empty());
  const Reply old = Exchange(server_.port(), "GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(old.status, 200);
}

TEST_F(Rest, LogsRequestsButNeverWhatIsRemembered) {
  Remember({{"id", "secret-id"}, {"text", "secret text"}, {"metadata", {{"k", "secret meta"}}}});
  Call("POST", "/v1/recall", Json{{"query", "secret query"}});
  Call("GET", "/v1/memories?filters=%7B%22k%22:%22secret%22%7D");
  Call("GET", "/v1/memories/secret-id");
  Call("GET", "/secret-path");
  Call("POST", "/v1/recall", Json{{"secret field", 1}});
  const std::string log = server_.log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);
  EXPECT_EQ(log.find("secret"), std::string::npos) << log;
  const Json first = Json::parse(log.substr(0, log.find('\n')));
  EXPECT_EQ(first["route"], "/v1/memories");
  EXPECT_EQ(first["status"], 201);
  EXPECT_EQ(first["remote"], "127.0.0.1");
}

TEST_F(Rest, SendsABodyOnlyAfterContinueWhenAsked) {
  const std::string body = "{\"text\":\"patient\"}";
  RawClient client(server_.port());
  client.Send(
      "POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("100 Continue"));
  client.Send(body);
  EXPECT_EQ(ParseReply(client.ReadAll()).status, 201);
}

}  // namespace
}  // namespace kvasir::http_test
