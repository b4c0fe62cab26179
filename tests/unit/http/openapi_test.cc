#include "http/openapi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "http/json.h"
#include "http/router.h"

namespace kvasir::http {
namespace {

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

TEST(OpenApi, HasTheRoutesOfTheTableAndNoOthers) {
  std::set<std::string> table;
  for (const Route& route : AllRoutes()) {
    table.insert(std::string(route.method) + " " + std::string(route.pattern));
  }
  std::set<std::string> document;
  const Json json = Json::parse(OpenApiDocument());
  for (const auto& [path, operations] : json["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      document.insert(Upper(method) + " " + path);
    }
  }
  EXPECT_EQ(table, document);
  EXPECT_EQ(table.size(), AllRoutes().size());
}

TEST(OpenApi, SaysWhichRoutesNeedAKeyAndABody) {
  const Json json = Json::parse(OpenApiDocument());
  for (const Route& route : AllRoutes()) {
    std::string method(route.method);
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const Json& operation = json["paths"][std::string(route.pattern)][method];
    EXPECT_EQ(operation.contains("security"), route.scope == Scope::kNone) << route.pattern;
    EXPECT_EQ(operation.contains("requestBody"), route.body != Body::kNone) << route.pattern;
  }
}

TEST(OpenApi, RefersOnlyToSchemasThatItHas) {
  const Json json = Json::parse(OpenApiDocument());
  const std::string& text = OpenApiDocument();
  const std::string prefix = "\"#/components/schemas/";
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
    const auto start = at + prefix.size();
    const std::string name = text.substr(start, text.find('"', start) - start);
    EXPECT_TRUE(json["components"]["schemas"].contains(name)) << name;
  }
}

TEST(Router, MatchesWholeSegmentsOnly) {
  const auto route = [](std::string_view method, std::vector<std::string> path) {
    const Match match = FindRoute(method, path);
    return match.route == nullptr ? "" : std::string(match.route->pattern) + " " + match.id;
  };
  EXPECT_EQ(route("GET", {"v1", "memories", "a/b"}), "/v1/memories/{id} a/b");
  EXPECT_EQ(route("HEAD", {"v1", "memories"}), "/v1/memories ");
  EXPECT_EQ(route("POST", {"v1", "memories:batch"}), "/v1/memories:batch ");
  EXPECT_EQ(route("GET", {"v1", "memories", "x", "history"}), "/v1/memories/{id}/history x");
  EXPECT_EQ(route("GET", {"v1", "memories", ""}), "");
  EXPECT_EQ(route("GET", {"v1", "memories", "..", "..", "etc"}), "");
  EXPECT_EQ(route("GET", {""}), "/ ");
  EXPECT_EQ(route("DELETE", {"v1", "recall"}), "");
}

}  // namespace
}  // namespace kvasir::http
