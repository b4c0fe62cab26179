// The Model Context Protocol, message by message, in front of a scripted memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "http/mcp/protocol.h"
#include "http/mcp/tools.h"
#include "tests/http/scripted_memory.h"
#include "tests/unit/http/mcp_client.h"

namespace kvasir::http::mcp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Principal In(const std::string& space, const std::string& scopes = "read,write,forget") {
  Principal principal;
  principal.space = space;
  principal.scopes = *Scopes::Parse(scopes);
  return principal;
}

class Mcp : public ::testing::Test {
 protected:
  Json Send(const Json& json, std::optional<Revision> agreed = {}) {
    // As it arrives: through text, where 1 is no signed number.
    const auto message = ReadMessage(Json::parse(json.dump()));
    if (const auto* error = std::get_if<Error>(&message)) return ErrorReply(nullptr, *error);
    const Protocol protocol({.memory = memory_,
                             .principal = principal_,
                             .read_only = read_only_,
                             .log = [this](std::string_view line) { log_ += line; }});
    return protocol.Answer(std::get<Message>(message), {.agreed = agreed, .notify = notify_});
  }
  Json Modern(const std::string& method, Json params = Json::object()) {
    return Send(ModernAsk(1, method, std::move(params)));
  }
  Json Tools() { return Modern("tools/list")["result"]["tools"]; }
  /// The result of a tool.
  Json Call(const std::string& tool, Json arguments) {
    return Modern("tools/call", ToolParams(tool, std::move(arguments)))["result"];
  }
  static std::string TextOf(const Json& result) { return result["content"][0]["text"]; }

  http_test::ScriptedMemory memory_;
  Principal principal_;
  bool read_only_ = false;
  std::string log_;
  std::function<void(const Json&)> notify_;
};

TEST_F(Mcp, DiscoversEveryRevisionWithoutAHandshake) {
  const Json result = Modern("server/discover")["result"];
  EXPECT_EQ(result["supportedVersions"], Json({"2026-07-28", "2025-11-25", "2025-06-18"}));
  EXPECT_EQ(result["resultType"], "complete");
  EXPECT_EQ(result["_meta"][kServerField]["name"], "kvasir");
  EXPECT_TRUE(result["capabilities"].contains("tools"));
  EXPECT_TRUE(result["ttlMs"].is_number_unsigned() || result["ttlMs"].is_number_integer());
  EXPECT_EQ(result["cacheScope"], "private");
}

TEST_F(Mcp, ShakesHandsInBothOlderRevisionsAndOffersTheNewerOneToAnyOther) {
  const std::pair<const char*, const char*> offers[] = {{"2025-11-25", "2025-11-25"},
                                                        {"2025-06-18", "2025-06-18"},
                                                        {"2026-07-28", "2025-11-25"},
                                                        {"2024-11-05", "2025-11-25"},
                                                        {"1", "2025-11-25"}};
  for (const auto& [wanted, given] : offers) {
    const Json reply = Send(Ask("a", "initialize", {{"protocolVersion", wanted}}));
    EXPECT_EQ(reply["result"]["protocolVersion"], given) << wanted;
    EXPECT_FALSE(reply["result"].contains("resultType"));
    EXPECT_EQ(SettledBy(reply), FindRevision(given));
  }
  EXPECT_EQ(Send(Ask(1, "initialize"))["error"]["code"], -32602);
}

TEST_F(Mcp, RefusesARequestThatSaysNoRevision) {
  EXPECT_EQ(Send(Ask(1, "tools/list"))["error"]["code"], -32602);
  EXPECT_TRUE(Send(Ask(1, "tools/list"), Revision::k2025_06_18).contains("result"));
  EXPECT_EQ(Send(Ask(1, "tools/list"), Revision::k2026_07_28)["error"]["code"], -32602);
  EXPECT_EQ(Send(Ask(1, "ping"))["result"], Json::object());
}

TEST_F(Mcp, NamesItsRevisionsToOneThatItDoesNotKnow) {
  for (const char* version : {"1900-01-01", "2025-11-25", ""}) {
    Json ask = ModernAsk(1, "tools/list");
    ask["params"]["_meta"][kRevisionField] = version;
    const Json error = Send(ask)["error"];
    EXPECT_EQ(error["code"], -32022);
    EXPECT_EQ(error["data"]["requested"], version);
    EXPECT_THAT(error["data"]["supported"], ::testing::Contains("2026-07-28"));
  }
  Json ask = ModernAsk(1, "tools/list");
  ask["params"]["_meta"].erase(kCapabilitiesField);
  EXPECT_EQ(Send(ask)["error"]["code"], -32602);
  ask["params"]["_meta"] = {{kRevisionField, 7}, {kCapabilitiesField, Json::object()}};
  EXPECT_EQ(Send(ask)["error"]["code"], -32602);
}

TEST_F(Mcp, DoesNotHaveTheMethodsThatItDoesNotOffer) {
  for (const char* method : {"prompts/list", "completion/complete", "logging/setLevel", "ping",
                             "initialize", "tools/lists", "", "subscriptions/listen"}) {
    EXPECT_EQ(Modern(method)["error"]["code"], -32601) << method;
  }
  EXPECT_EQ(Send(Ask(1, "server/discover"), Revision::k2025_11_25)["error"]["code"], -32601);
}

TEST_F(Mcp, RefusesWhatIsNoMessage) {
  const std::pair<Json, int> cases[] = {
      {Json::array(), -32600},
      {Json::array({ModernAsk(1, "tools/list")}), -32600},
      {"tools/list", -32600},
      {nullptr, -32600},
      {Json::object(), -32600},
      {{{"jsonrpc", "1.0"}, {"id", 1}, {"method", "ping"}}, -32600},
      {{{"jsonrpc", "2.0"}, {"id", nullptr}, {"method", "ping"}}, -32600},
      {{{"jsonrpc", "2.0"}, {"id", 1.5}, {"method", "ping"}}, -32600},
      {{{"jsonrpc", "2.0"}, {"id", Json::object()}, {"method", "ping"}}, -32600},
      {{{"jsonrpc", "2.0"}, {"id", 1}, {"method", 3}}, -32600},
      {{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}, {"params", Json::array()}}, -32602},
      {{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}, {"params", nullptr}}, -32602},
  };
  for (const auto& [json, code] : cases) {
    EXPECT_EQ(Send(json)["error"]["code"], code) << json;
  }
}

TEST_F(Mcp, GivesBackTheIdAsItCame) {
  for (const Json& id : {Json(0), Json(-7), Json(INT64_MAX), Json(""), Json("\n\"ä")}) {
    EXPECT_EQ(Send(ModernAsk(id, "tools/list"))["id"], id);
    EXPECT_EQ(Send(ModernAsk(id, "nothing"))["id"], id);
  }
}

TEST_F(Mcp, RemembersRecallsAsksListsGetsUpdatesAndForgets) {
  const Json created = Call("memory_remember", {{"id", "ada"}, {"text", "Ada moved to Lisbon."}});
  EXPECT_EQ(created["isError"], false);
  EXPECT_EQ(created["structuredContent"]["outcome"], "created");
  EXPECT_EQ(Json::parse(TextOf(created)), created["structuredContent"]);

  const Json found = Call("memory_recall", {{"query", "Lisbon"}})["structuredContent"];
  EXPECT_EQ(found["hits"][0]["id"], "ada");
  EXPECT_EQ(found["hits"][0]["provenance"]["channel"], "mcp");
  EXPECT_EQ(found["hits"][0]["provenance"]["source"], "test client");

  EXPECT_EQ(Call("memory_ask", {{"question", "Which river?"}})["structuredContent"]["answer"],
            "It is the\nTagus.");
  EXPECT_EQ(Call("memory_list", Json::object())["structuredContent"]["memories"].size(), 1U);
  const Json got = Call("memory_get", {{"id", "ada"}})["structuredContent"];
  EXPECT_EQ(got["text"], "Ada moved to Lisbon.");

  const Json stale = Call("memory_update", {{"id", "ada"}, {"text", "x"}, {"if_match", "other"}});
  EXPECT_THAT(TextOf(stale), HasSubstr("conflict"));
  const Json edited =
      Call("memory_update",
           {{"id", "ada"}, {"text", "Ada moved to Porto."}, {"if_match", got["content_hash"]}});
  EXPECT_EQ(edited["structuredContent"]["version"], 2);

  const Json look = Call("memory_forget", {{"ids", {"ada"}}, {"dry_run", true}});
  EXPECT_EQ(look["structuredContent"]["dry_run"], true);
  EXPECT_EQ(Call("memory_get", {{"id", "ada"}})["isError"], false);
  EXPECT_EQ(Call("memory_forget", {{"ids", {"ada"}}})["structuredContent"]["memories"], 1);
  EXPECT_EQ(Call("memory_get", {{"id", "ada"}})["isError"], true);
}

TEST_F(Mcp, TellsTheModelItsMistakesAsResultsAndTheClientItsOwnAsErrors) {
  const std::pair<const char*, Json> mistakes[] = {
      {"memory_recall", Json::object()},
      {"memory_recall", {{"query", "a"}, {"sesion", "s"}}},
      {"memory_recall", {{"query", 3}}},
      {"memory_recall", {{"query", "a"}, {"top_k", 0}}},
      {"memory_recall", {{"query", "a"}, {"filters", {{"AND", 3}}}}},
      {"memory_remember", {{"text", "a"}, {"messages", Json::array()}}},
      {"memory_remember", {{"text", "a"}, {"trust", "operator"}}},
      {"memory_get", {{"id", ""}}},
      {"memory_get", {{"id", "nobody"}}},
      {"memory_update", {{"text", "no id"}}},
      {"memory_forget", Json::object()},
      {"memory_forget", {{"ids", Json::array()}}},
      {"memory_forget", {{"ids", {"a"}}, {"session", "s"}}},
  };
  for (const auto& [tool, arguments] : mistakes) {
    const Json result = Call(tool, arguments);
    EXPECT_EQ(result["isError"], true) << tool << arguments;
    EXPECT_FALSE(result.contains("structuredContent"));
    EXPECT_THAT(TextOf(result), HasSubstr(": ")) << "a code and a sentence";
  }
  EXPECT_EQ(Modern("tools/call", ToolParams("memory_destroy", Json::object()))["error"]["code"],
            -32602);
  EXPECT_EQ(Modern("tools/call", ToolParams("memory_list", Json::array()))["error"]["code"],
            -32602);
  EXPECT_EQ(Modern("tools/call", {{"name", 3}})["error"]["code"], -32602);
  EXPECT_EQ(Modern("tools/call")["error"]["code"], -32602);
}

TEST_F(Mcp, ListsToolsThatSayWhatTheyDo) {
  const Json tools = Tools();
  ASSERT_EQ(tools.size(), 7U);
  for (const Json& tool : tools) {
    const bool reads = FindTool(tool["name"].get<std::string>(), true) != nullptr;
    EXPECT_EQ(tool["annotations"]["readOnlyHint"], reads) << tool["name"];
    EXPECT_EQ(tool["inputSchema"]["type"], "object");
    EXPECT_EQ(tool["inputSchema"]["additionalProperties"], false);
    EXPECT_EQ(tool["outputSchema"]["type"], "object");
    EXPECT_FALSE(tool["description"].get<std::string>().empty());
  }
  EXPECT_EQ(tools[6]["annotations"]["destructiveHint"], true);
  EXPECT_EQ(Modern("tools/list", {{"cursor", "2"}})["error"]["code"], -32602);
}

/// A value that the property's schema allows.
Json Example(const Json& property) {
  if (property.contains("enum")) return property["enum"].back();
  if (property.value("format", "") == "date-time") return "2026-05-01T12:00:00Z";
  const std::string type = property["type"];
  if (type == "integer") return property.value("minimum", 1);
  if (type == "number") return 0.5;
  if (type == "boolean") return true;
  if (type == "object") return Json::object({{"topic", "home"}});
  if (type == "string") return "7";
  if (property["items"]["type"] == "string") return Json::array({"7"});
  return Json::array({Json{{"role", "user"}, {"content", "hello"}}});
}

TEST_F(Mcp, TakesEveryArgumentThatItsSchemasName) {
  for (const Json& tool : Tools()) {
    const std::string name = tool["name"];
    const Json& schema = tool["inputSchema"];
    Json needed = Json::object();
    for (const Json& required : schema.value("required", Json::array())) {
      needed[required.get<std::string>()] = Example(schema["properties"][required]);
    }
    for (const auto& [property, description] : schema["properties"].items()) {
      Json arguments = needed;
      if (name == "memory_remember" && property != "messages") arguments["text"] = "word";
      if (name == "memory_forget" && property != "ids" && property != "session" &&
          property != "filters" && property != "whole_space") {
        arguments["session"] = "word";
      }
      arguments[property] = Example(description);
      const Json result = Call(name, arguments);
      if (result["isError"] == true) {
        EXPECT_THAT(TextOf(result), Not(HasSubstr("invalid_argument")))
            << name << " " << arguments << " " << result;
      }
    }
  }
}

TEST_F(Mcp, AnswersAsItsOutputSchemasSay) {
  Call("memory_remember", {{"id", "a"}, {"text", "word"}});
  const std::pair<const char*, Json> calls[] = {
      {"memory_remember", {{"text", "other"}}},
      {"memory_recall", {{"query", "word"}}},
      {"memory_ask", {{"question", "word"}}},
      {"memory_list", Json::object()},
      {"memory_get", {{"id", "a"}}},
      {"memory_update", {{"id", "a"}, {"title", "t"}}},
      {"memory_forget", {{"ids", {"a"}}}},
  };
  const Json tools = Tools();
  for (std::size_t i = 0; i < tools.size(); ++i) {
    ASSERT_EQ(tools[i]["name"], calls[i].first);
    const Json result = Call(calls[i].first, calls[i].second)["structuredContent"];
    for (const Json& required : tools[i]["outputSchema"]["required"]) {
      EXPECT_TRUE(result.contains(required)) << calls[i].first << " lacks " << required;
    }
  }
}

TEST_F(Mcp, WithoutWritersDoesNotHaveThem) {
  read_only_ = true;
  std::vector<std::string> names;
  for (const Json& tool : Tools()) names.push_back(tool["name"]);
  EXPECT_THAT(names, ElementsAre("memory_recall", "memory_ask", "memory_list", "memory_get"));
  for (const char* name : {"memory_remember", "memory_update", "memory_forget"}) {
    const Json reply = Modern("tools/call", ToolParams(name, {{"text", "a"}}));
    EXPECT_EQ(reply["error"]["code"], -32602) << name;
  }
}

TEST_F(Mcp, ShowsAKeyOnlyTheToolsOfItsScopesAndRefusesTheOthers) {
  principal_ = In("home", "read");
  EXPECT_EQ(Modern("tools/list")["result"]["tools"].size(), 4U);
  const Json refused = Call("memory_remember", {{"text", "a"}});
  EXPECT_EQ(refused["isError"], true);
  EXPECT_THAT(TextOf(refused), HasSubstr("permission_denied"));
}

TEST_F(Mcp, OffersTheSpaceOnlyToThoseWhoMayChooseIt) {
  const auto has_space = [this] {
    return Modern("tools/list")["result"]["tools"][0]["inputSchema"]["properties"].contains(
        "space");
  };
  EXPECT_TRUE(has_space());
  principal_ = In("home");
  EXPECT_FALSE(has_space());
  Call("memory_remember", {{"id", "a"}, {"text", "word"}});
  EXPECT_EQ(Call("memory_get", {{"id", "a"}})["structuredContent"]["space"], "home");
  EXPECT_THAT(TextOf(Call("memory_get", {{"id", "a"}, {"space", "work"}})),
              HasSubstr("permission_denied"));
}

TEST_F(Mcp, ServesMemoriesAsResources) {
  const std::string id = "a/b ä?#%";
  Call("memory_remember", {{"id", id}, {"text", "word for word"}, {"title", "Words"}});
  const Json list = Modern("resources/list")["result"];
  ASSERT_EQ(list["resources"].size(), 1U);
  const std::string uri = list["resources"][0]["uri"];
  EXPECT_EQ(uri, "memory://default/a%2Fb%20%C3%A4%3F%23%25");
  EXPECT_EQ(list["resources"][0]["title"], "Words");
  EXPECT_EQ(list["ttlMs"], 0);
  const Json read = Modern("resources/read", {{"uri", uri}})["result"];
  EXPECT_EQ(read["contents"][0]["text"], "word for word");
  EXPECT_EQ(read["contents"][0]["uri"], uri);
  EXPECT_EQ(Modern("resources/templates/list")["result"]["resourceTemplates"][0]["uriTemplate"],
            "memory://{space}/{id}");
}

TEST_F(Mcp, PagesThroughResources) {
  for (int i = 0; i < 150; ++i) Call("memory_remember", {{"text", "word"}});
  std::set<std::string> uris;
  Json params = Json::object();
  for (int pages = 0; pages < 2; ++pages) {
    const Json page = Modern("resources/list", params)["result"];
    for (const Json& resource : page["resources"]) uris.insert(resource["uri"]);
    EXPECT_EQ(page.contains("nextCursor"), pages == 0);
    params["cursor"] = page.value("nextCursor", "");
  }
  EXPECT_EQ(uris.size(), 150U);
}

TEST_F(Mcp, KnowsNoResourceThatIsNotThere) {
  Call("memory_remember", {{"id", "a"}, {"text", "word"}});
  for (const char* uri : {"memory://default/b", "memory://other/a", "memory://default",
                          "memory:///a", "memory://default/", "file:///etc/passwd", "",
                          "memory://default/%zz", "memory://default/%4", "memory://default/%ff"}) {
    EXPECT_EQ(Modern("resources/read", {{"uri", uri}})["error"]["code"], -32602) << uri;
    EXPECT_EQ(
        Send(Ask(1, "resources/read", {{"uri", uri}}), Revision::k2025_11_25)["error"]["code"],
        -32002)
        << uri;
  }
}

TEST_F(Mcp, AnswersIdsOfAnotherSpaceAsUnknownOnes) {
  principal_ = In("bob");
  Call("memory_remember", {{"id", "bobs"}, {"text", "bob's secret"}});
  principal_ = In("ada");
  Call("memory_remember", {{"id", "adas"}, {"text", "ada's own"}});
  const std::pair<const char*, Json> calls[] = {
      {"memory_get", {{"id", "ID"}}},
      {"memory_update", {{"id", "ID"}, {"text", "x"}}},
      {"memory_forget", {{"ids", {"ID"}}}},
      {"memory_forget", {{"ids", {"ID"}}, {"dry_run", true}}},
  };
  const auto with = [](const Json& json, const std::string& id) {
    std::string text = json.dump();
    return Json::parse(text.replace(text.find("ID"), 2, id));
  };
  for (const auto& [tool, arguments] : calls) {
    std::string theirs = Call(tool, with(arguments, "bobs")).dump();
    const std::string none = Call(tool, with(arguments, "none")).dump();
    theirs.replace(theirs.find("bobs"), 4, "none");
    EXPECT_EQ(theirs, none) << tool;
  }
  for (const char* tool : {"memory_list", "memory_recall", "memory_ask"}) {
    const Json arguments = tool == std::string("memory_recall") ? Json{{"query", "secret"}}
                           : tool == std::string("memory_ask")  ? Json{{"question", "secret"}}
                                                                : Json::object();
    EXPECT_THAT(Call(tool, arguments).dump(), Not(HasSubstr("bob"))) << tool;
  }
  EXPECT_EQ(Modern("resources/list")["result"]["resources"].size(), 1U);
  std::string theirs = Modern("resources/read", {{"uri", "memory://bob/bobs"}}).dump();
  const std::string none = Modern("resources/read", {{"uri", "memory://bob/none"}}).dump();
  theirs.replace(theirs.find("bobs"), 4, "none");
  EXPECT_EQ(theirs, none);
  principal_ = In("bob");
  EXPECT_EQ(Call("memory_get", {{"id", "bobs"}})["isError"], false);
}

TEST_F(Mcp, ReportsProgressToThoseWhoAsk) {
  std::vector<Json> heard;
  notify_ = [&heard](const Json& notification) { heard.push_back(notification); };
  Json params = ToolParams("memory_ask", {{"question", "Which river?"}});
  Modern("tools/call", params);
  EXPECT_TRUE(heard.empty());
  params["_meta"]["progressToken"] = "t";
  Modern("tools/call", params);
  ASSERT_EQ(heard.size(), 4U);
  EXPECT_EQ(heard[0]["method"], "notifications/progress");
  EXPECT_FALSE(heard[0].contains("id"));
  EXPECT_THAT(heard[0]["params"]["message"].get<std::string>(), HasSubstr("hop 1"));
  std::string text;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i]["params"]["progressToken"], "t");
    EXPECT_EQ(heard[i]["params"]["progress"], i + 1);
    if (i > 0) text += heard[i]["params"]["message"];
  }
  EXPECT_EQ(text, "It is the\nTagus.");
}

TEST_F(Mcp, KeepsTextsThatLookLikeMessagesAsTexts) {
  const std::string text = "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\u2028<script>";
  Call("memory_remember", {{"id", "a"}, {"text", text}});
  const std::string reply = DumpJson(Modern("resources/read", {{"uri", "memory://default/a"}}));
  EXPECT_EQ(reply.find('\n'), std::string::npos);
  EXPECT_EQ(Json::parse(reply)["result"]["contents"][0]["text"], text);
}

}  // namespace
}  // namespace kvasir::http::mcp
