// Errors as RFC 9457 problem documents with a stable word for programs.
#ifndef HTTP_PROBLEM_H_
#define HTTP_PROBLEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "kvasir/status.h"

namespace kvasir::http {

struct Problem {
  int status = 500;
  std::string code = "internal";  ///< Stable; docs/rest.md lists them.
  std::string detail;
  bool retryable = false;
  int retry_after_s = 0;  ///< 0: no Retry-After header.
  std::vector<HeaderField> headers;
};

/// How a failed call of the SDK looks over HTTP. What only the operator should read (paths in
/// kCorruption and kInternal) is replaced; the log has it under the request's id.
Problem ProblemOf(const Status& status);

/// {"type","title","status","detail","code","request_id","retryable"}.
Response ProblemResponse(const Problem& problem, std::string_view request_id);

/// The same as bytes on the wire, for refusals before a worker is involved.
std::string ProblemBytes(const Problem& problem, std::string_view request_id);

/// "Not Found" for 404.
std::string_view ReasonPhrase(int status);

}  // namespace kvasir::http

#endif  // HTTP_PROBLEM_H_
