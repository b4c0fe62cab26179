#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <string>

#include "kvasir/filter.h"

namespace kvasir {
namespace {

std::string Normal(const std::string& json) {
  const auto filter = ParseFilter(json);
  return filter.ok() ? FilterToJson(*filter) : "error: " + filter.status().message();
}

TEST(FilterJson, ReadsEveryForm) {
  EXPECT_EQ(Normal(R"({"topic":"home"})"), R"({"topic":{"eq":"home"}})");
  EXPECT_EQ(Normal(R"({"age":{"gte":3,"lt":9}})"),
            R"({"AND":[{"age":{"gte":3}},{"age":{"lt":9}}]})");
  EXPECT_EQ(Normal(R"({"a":1,"b":true})"), R"({"AND":[{"a":{"eq":1}},{"b":{"eq":true}}]})");
  EXPECT_EQ(Normal(R"({"OR":[{"a":null},{"b":{"in":[1,2.5,"x"]}}]})"),
            R"({"OR":[{"a":{"eq":null}},{"b":{"in":[1,2.5,"x"]}}]})");
  EXPECT_EQ(Normal(R"({"NOT":{"a":{"exists":true}}})"), R"({"NOT":{"a":{"exists":true}}})");
  EXPECT_EQ(Normal(R"({"NOT":[{"a":1},{"b":2}]})"),
            R"({"NOT":{"OR":[{"a":{"eq":1}},{"b":{"eq":2}}]}})");
  EXPECT_EQ(Normal("{}"), R"({"AND":[]})");
}

TEST(FilterJson, ComesBackAsItWent) {
  for (const char* json :
       {R"({"AND":[{"a":{"ne":"x"}},{"OR":[{"b":{"nin":[1]}},{"NOT":{"c":{"icontains":"d"}}}]}]})",
        R"({"tags":{"contains":"red"}})", R"({"n":{"lte":-9223372036854775808}})"}) {
    EXPECT_EQ(Normal(json), json);
  }
}

struct BadFilter {
  std::string json;
  std::string says;
};

/// In the test's name.
void PrintTo(const BadFilter& filter, std::ostream* out) {
  *out << filter.json.size() << " bytes, ";
  for (const char c : filter.says) *out << (std::isalnum(static_cast<unsigned char>(c)) ? c : ' ');
}

class BadFilters : public ::testing::TestWithParam<BadFilter> {};

TEST_P(BadFilters, NameTheirPath) {
  const auto filter = ParseFilter(GetParam().json);
  ASSERT_FALSE(filter.ok());
  EXPECT_EQ(filter.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(filter.status().message().find(GetParam().says), std::string::npos)
      << filter.status().message();
}

std::string Nested(int depth) {
  std::string json;
  for (int i = 0; i < depth; ++i) json += R"({"NOT":)";
  json += R"({"a":1})";
  for (int i = 0; i < depth; ++i) json += "}";
  return json;
}

std::string Wide(int count) {
  std::string json = R"({"OR":[)";
  for (int i = 0; i < count; ++i) json += i > 0 ? R"(,{"a":1})" : R"({"a":1})";
  return json + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    All, BadFilters,
    ::testing::Values(BadFilter{"", "not valid JSON"},
                      BadFilter{"[1]", "filter: expected an object"},
                      BadFilter{R"({"a":1)", "not valid JSON at byte"},
                      BadFilter{"{\"a\":\"\xFF\"}", "not valid JSON at byte"},
                      BadFilter{R"({"a":{"like":1}})", "filter.a.like: unknown operator"},
                      BadFilter{R"({"a":{}})", "filter.a: no operator"},
                      BadFilter{R"({"a":[1]})", "filter.a: a list needs an operator"},
                      BadFilter{R"({"a":{"in":1}})", "filter.a.in: expected a list"},
                      BadFilter{R"({"a":{"in":[[1]]}})", "filter.a.in: expected plain values"},
                      BadFilter{R"({"a":{"exists":1}})", "filter.a.exists: expected true or false"},
                      BadFilter{R"({"AND":{"a":1}})", "filter.AND: expected a list"},
                      BadFilter{R"({"OR":[{"a":{"eq":{"b":1}}}]})", "filter.OR[0].a.eq"},
                      BadFilter{R"({"a":1,"a":2})", "key \"a\" is there twice"},
                      BadFilter{R"({"a":9223372036854775808})", "more than 64 bits"},
                      BadFilter{R"({"a":1e999})", "filter"},
                      BadFilter{R"({"":1})", "a field name cannot be empty"},
                      BadFilter{Nested(20), "nested deeper than 16"},
                      BadFilter{Nested(100000), "nested deeper than 64"},
                      BadFilter{Wide(300), "more than 256"}));

TEST(MetadataJson, ComesBackAsItWent) {
  for (const char* json : {R"({"a":1,"b":2.5,"c":null,"d":true,"e":"x","f":["y","z"]})", "{}"}) {
    const auto metadata = ParseMetadata(json);
    ASSERT_TRUE(metadata.ok()) << metadata.status().message();
    EXPECT_EQ(MetadataToJson(*metadata), json);
  }
}

TEST(MetadataJson, RefusesNestingByPath) {
  const auto nested = ParseMetadata(R"({"a":{"b":1}})");
  ASSERT_FALSE(nested.ok());
  EXPECT_NE(nested.status().message().find("metadata.a"), std::string::npos);
  EXPECT_FALSE(ParseMetadata(R"({"a":[1]})").ok());
  EXPECT_FALSE(ParseMetadata("[]").ok());
}

TEST(MetadataJson, WritesBytesThatAreNotUtf8AsReplacements) {
  EXPECT_EQ(MetadataToJson({{"a", std::string("x\xFF")}}), "{\"a\":\"x\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace kvasir
