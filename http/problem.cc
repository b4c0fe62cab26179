#include "http/problem.h"

#include <algorithm>

#include "http/json.h"

namespace kvasir::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};
constexpr Phrase kPhrases[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

int HttpStatusOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return 200;
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kNotFound:
      return 404;
    case StatusCode::kPermissionDenied:
      return 403;
    case StatusCode::kConflict:
      return 409;
    case StatusCode::kKeyReused:
      return 422;
    case StatusCode::kUnavailable:
      return 503;
    case StatusCode::kNoSpace:
      return 507;
    case StatusCode::kCancelled:
      return 499;
    case StatusCode::kCorruption:
    case StatusCode::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

Problem ProblemOf(const Status& status) {
  Problem problem;
  problem.status = HttpStatusOf(status.code());
  problem.code = StatusCodeName(status.code());
  problem.detail = status.message();
  if (problem.status == 500) {
    problem.detail = "kvasir failed; the server's log says why under this request id.";
  }
  if (status.code() == StatusCode::kUnavailable) {
    problem.retryable = true;
    problem.retry_after_s = 1;
  }
  return problem;
}

Response ProblemResponse(const Problem& problem, std::string_view request_id) {
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.headers = problem.headers;
  if (problem.retry_after_s > 0) {
    response.headers.push_back({"Retry-After", std::to_string(problem.retry_after_s)});
  }
  response.body = DumpJson({{"type", "about:blank"},
                            {"title", ReasonPhrase(problem.status)},
                            {"status", problem.status},
                            {"detail", problem.detail},
                            {"code", problem.code},
                            {"request_id", request_id},
                            {"retryable", problem.retryable}});
  return response;
}

std::string ProblemBytes(const Problem& problem, std::string_view request_id) {
  const Response response = ProblemResponse(problem, request_id);
  std::string bytes = "HTTP/1.1 " + std::to_string(response.status) + " " +
                      std::string(ReasonPhrase(response.status)) + "\r\n";
  for (const HeaderField& field : response.headers) {
    bytes += field.name + ": " + field.value + "\r\n";
  }
  bytes += "X-Request-Id: " + std::string(request_id) + "\r\n";
  bytes += "Content-Type: " + response.content_type + "\r\n";
  bytes += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  bytes += "Connection: close\r\n\r\n" + response.body;
  return bytes;
}

std::string_view ReasonPhrase(int status) {
  const auto* found =
      std::find_if(std::begin(kPhrases), std::end(kPhrases),
                   [status](const Phrase& phrase) { return phrase.status == status; });
  return found == std::end(kPhrases) ? std::string_view("Unknown") : found->text;
}

}  // namespace kvasir::http
