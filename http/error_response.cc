#include "http/error_response.h"

#include "http/json.h"

namespace kvasir::http {
namespace {

/// What clients of OpenAI's API branch on.
std::string_view OpenAiType(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

int JsonRpcCode(const Problem& problem) {
  constexpr int kParseError = -32700;
  constexpr int kInvalidRequest = -32600;
  constexpr int kInternalError = -32603;
  if (problem.status >= 500) return kInternalError;
  return problem.code == "invalid_argument" ? kParseError : kInvalidRequest;
}

Json BodyOf(Errors style, const Problem& problem, std::string_view request_id) {
  if (style == Errors::kMem0) return {{"detail", problem.detail}};
  if (style == Errors::kOpenAi) {
    return {{"error",
             {{"message", problem.detail},
              {"type", OpenAiType(problem.status)},
              {"param", nullptr},
              {"code", problem.code}}}};
  }
  return {{"jsonrpc", "2.0"},
          {"id", nullptr},
          {"error",
           {{"code", JsonRpcCode(problem)},
            {"message", problem.detail},
            {"data", {{"code", problem.code}, {"request_id", request_id}}}}}};
}

}  // namespace

Response ErrorResponse(Errors style, const Problem& problem, std::string_view request_id) {
  Response response = ProblemResponse(problem, request_id);
  if (style == Errors::kProblem) return response;
  response.content_type = "application/json";
  response.body = DumpJson(BodyOf(style, problem, request_id));
  return response;
}

}  // namespace kvasir::http
