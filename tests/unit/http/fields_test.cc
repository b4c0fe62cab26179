#include "http/fields.h"

#include <gtest/gtest.h>

namespace kvasir::http {
namespace {

TEST(Fields, LeavesDefaultsWhereNothingIsGiven) {
  const Json json = {{"name", "Ada"}, {"absent", nullptr}};
  Fields fields(json);
  std::string name;
  std::uint32_t count = 10;
  bool absent = true;
  fields.Get("name", name);
  fields.GetCount("count", count, 1, 100);
  fields.Get("absent", absent);
  EXPECT_TRUE(fields.Finish().ok());
  EXPECT_EQ(name, "Ada");
  EXPECT_EQ(count, 10U);
  EXPECT_TRUE(absent);
}

TEST(Fields, NamesAFieldThatNobodyKnows) {
  const Json json = {{"sesion", "s"}};
  Fields fields(json);
  std::string session;
  fields.Get("session", session);
  EXPECT_EQ(fields.Finish().message(), "there is no field \"sesion\" here");
}

TEST(Fields, RefusesWrongTypesAndRanges) {
  const std::pair<Json, std::string> cases[] = {
      {{{"count", "5"}}, "\"count\" must be a whole number from 1 to 9"},
      {{{"count", 0}}, "\"count\" must be a whole number from 1 to 9"},
      {{{"count", -1}}, "\"count\" must be a whole number from 1 to 9"},
      {{{"count", 1.5}}, "\"count\" must be a whole number from 1 to 9"},
      {{{"text", 5}}, "\"text\" must be a string"},
      {{{"list", {"a", 1}}}, "\"list\" must be a list of strings"},
      {Json::array(), "the body must be a JSON object"},
  };
  for (const auto& [json, message] : cases) {
    Fields fields(json);
    int count = 0;
    std::string text;
    std::vector<std::string> list;
    fields.GetCount("count", count, 1, 9);
    fields.Get("text", text);
    fields.Get("list", list);
    EXPECT_EQ(fields.Finish().message(), message);
  }
}

TEST(Fields, ReadsNumbersSwitchesAndJsonFromAQuery) {
  const std::vector<std::pair<std::string, std::string>> query = {
      {"limit", "7"}, {"full", "true"}, {"filters", R"({"topic":"home"})"}};
  Fields fields(query);
  int limit = 0;
  bool full = false;
  std::optional<Filter> filter;
  fields.GetCount("limit", limit, 1, 10);
  fields.Get("full", full);
  fields.Get("filters", filter);
  EXPECT_TRUE(fields.Finish().ok());
  EXPECT_EQ(limit, 7);
  EXPECT_TRUE(full);
  ASSERT_TRUE(filter);
}

TEST(Fields, RefusesAQueryFieldThatStandsTwice) {
  const std::vector<std::pair<std::string, std::string>> query = {{"a", "1"}, {"a", "2"}};
  Fields fields(query);
  fields.Ignore("a");
  EXPECT_EQ(fields.Finish().message(), "the query has \"a\" twice");
}

TEST(Fields, ReadsConversationsAndSaysWhichMessageIsWrong) {
  const Json json = {{"messages", {{{"role", "user"}, {"content", "hi"}}, {{"rolle", "user"}}}}};
  Fields fields(json);
  std::vector<Message> messages;
  fields.Get("messages", messages);
  EXPECT_EQ(fields.Finish().message(), "\"messages\" 2: there is no field \"rolle\" here");
}

}  // namespace
}  // namespace kvasir::http
