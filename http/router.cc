#include "http/router.h"

#include <algorithm>
#include <optional>

#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

constexpr Route kRoutes[] = {
    {"POST", "/v1/memories", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kProblem, true,
     PostMemory},
    {"POST", "/v1/memories:batch", Scope::kWrite, Body::kLines, Lane::kModel, Errors::kProblem,
     true, PostMemoryBatch},
    {"GET", "/v1/tasks/{id}", Scope::kWrite, Body::kNone, Lane::kQuick, Errors::kProblem, false,
     GetTask},
    {"GET", "/v1/tasks/{id}/results", Scope::kWrite, Body::kNone, Lane::kPage, Errors::kProblem,
     false, GetTaskResults},
    {"GET", "/v1/memories", Scope::kRead, Body::kNone, Lane::kPage, Errors::kProblem, true,
     ListMemories},
    {"GET", "/v1/memories/{id}", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kProblem, true,
     GetMemory},
    {"GET", "/v1/memories/{id}/history", Scope::kRead, Body::kNone, Lane::kPage, Errors::kProblem,
     true, GetMemoryHistory},
    {"PUT", "/v1/memories/{id}", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kProblem, true,
     PutMemory},
    {"DELETE", "/v1/memories/{id}", Scope::kForget, Body::kNone, Lane::kModel, Errors::kProblem,
     true, DeleteMemory},
    {"POST", "/v1/memories:forget", Scope::kForget, Body::kJson, Lane::kModel, Errors::kProblem,
     true, ForgetMemories},
    {"POST", "/v1/recall", Scope::kRead, Body::kJson, Lane::kModel, Errors::kProblem, true,
     PostRecall},
    {"POST", "/v1/ask", Scope::kRead, Body::kJson, Lane::kModel, Errors::kProblem, true, PostAsk},
    {"GET", "/v1/spaces", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kProblem, true,
     GetSpaces},
    {"GET", "/v1/sessions", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kProblem, true,
     GetSessions},
    {"GET", "/v1/stats", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kProblem, true,
     GetStoreStats},
    {"GET", "/v1/openapi.json", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false,
     GetOpenApi},
    {"GET", "/healthz", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false, GetLive},
    {"GET", "/livez", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false, GetLive},
    {"GET", "/readyz", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false, GetReady},
    {"GET", "/metrics", Scope::kAdmin, Body::kNone, Lane::kQuick, Errors::kProblem, false,
     GetMetrics},
    {"POST", "/v1/backup", Scope::kAdmin, Body::kNone, Lane::kModel, Errors::kProblem, true,
     PostBackup},
    {"GET", "/", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false, GetInspector},
    {"GET", "/inspector/{id}", Scope::kNone, Body::kNone, Lane::kQuick, Errors::kProblem, false,
     GetInspectorFile},
    {"POST", "/mcp", Scope::kRead, Body::kJson, Lane::kModel, Errors::kJsonRpc, true, PostMcp},
    {"POST", "/v1/chat/completions", Scope::kRead, Body::kJson, Lane::kModel, Errors::kOpenAi, true,
     PostChatCompletion},
    {"GET", "/v1/models", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kOpenAi, false,
     GetModels},
    {"POST", "/memories", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kMem0, true, Mem0Add},
    {"GET", "/memories", Scope::kRead, Body::kNone, Lane::kPage, Errors::kMem0, true, Mem0List},
    {"DELETE", "/memories", Scope::kForget, Body::kNone, Lane::kModel, Errors::kMem0, true,
     Mem0DeleteAll},
    {"GET", "/memories/{id}", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kMem0, true,
     Mem0Get},
    {"PUT", "/memories/{id}", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kMem0, true,
     Mem0Update},
    {"DELETE", "/memories/{id}", Scope::kForget, Body::kNone, Lane::kModel, Errors::kMem0, true,
     Mem0Delete},
    {"GET", "/memories/{id}/history", Scope::kRead, Body::kNone, Lane::kPage, Errors::kMem0, true,
     Mem0History},
    {"POST", "/search", Scope::kRead, Body::kJson, Lane::kModel, Errors::kMem0, true, Mem0Search},
    {"GET", "/v1/ping/", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kMem0, false, Mem0Ping},
    {"POST", "/v3/memories/add/", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kMem0, true,
     Mem0HostedAdd},
    {"POST", "/v3/memories/", Scope::kRead, Body::kJson, Lane::kPage, Errors::kMem0, true,
     Mem0HostedList},
    {"POST", "/v3/memories/search/", Scope::kRead, Body::kJson, Lane::kModel, Errors::kMem0, true,
     Mem0HostedSearch},
    {"DELETE", "/v1/memories/", Scope::kForget, Body::kNone, Lane::kModel, Errors::kMem0, true,
     Mem0DeleteAll},
    {"GET", "/v1/memories/{id}/", Scope::kRead, Body::kNone, Lane::kQuick, Errors::kMem0, true,
     Mem0Get},
    {"PUT", "/v1/memories/{id}/", Scope::kWrite, Body::kJson, Lane::kModel, Errors::kMem0, true,
     Mem0Update},
    {"DELETE", "/v1/memories/{id}/", Scope::kForget, Body::kNone, Lane::kModel, Errors::kMem0, true,
     Mem0Delete},
    {"GET", "/v1/memories/{id}/history/", Scope::kRead, Body::kNone, Lane::kPage, Errors::kMem0,
     true, Mem0History},
    {"POST", "/reset", Scope::kForget, Body::kNone, Lane::kModel, Errors::kMem0, true, Mem0Reset},
};

/// The id in `path` if it has the shape of `pattern` ("" when the pattern has none).
std::optional<std::string> Fit(std::string_view pattern, std::span<const std::string> path) {
  std::string id;
  pattern.remove_prefix(1);
  for (const std::string& segment : path) {
    const bool last = &segment == &path.back();
    const auto slash = pattern.find('/');
    if ((slash == std::string_view::npos) != last) return std::nullopt;
    const std::string_view wanted = pattern.substr(0, slash);
    if (wanted == "{id}") {
      if (segment.empty()) return std::nullopt;
      id = segment;
    } else if (wanted != segment) {
      return std::nullopt;
    }
    pattern.remove_prefix(last ? pattern.size() : slash + 1);
  }
  return id;
}

}  // namespace

std::span<const Route> AllRoutes() { return kRoutes; }

Match FindRoute(std::string_view method, std::span<const std::string> path) {
  Match match;
  const std::string_view asked = method == "HEAD" ? "GET" : method;
  for (const Route& route : kRoutes) {
    auto id = Fit(route.pattern, path);
    if (!id) continue;
    match.allowed.push_back(route.method);
    if (route.method != asked) continue;
    match.route = &route;
    match.id = *std::move(id);
    return match;
  }
  return match;
}

Result<std::string> Call::Space(const std::string& named) const {
  return SpaceFor(principal, named);
}

Response JsonResponse(const Json& json, int status) {
  Response response;
  response.status = status;
  response.body = DumpJson(json);
  return response;
}

HeaderField ETagOf(std::uint64_t number, std::uint32_t version) {
  return {"ETag", '"' + Etag(number, version) + '"'};
}

}  // namespace kvasir::http
