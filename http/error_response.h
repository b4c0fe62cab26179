// A problem in the words of the protocol that a route speaks.
#ifndef HTTP_ERROR_RESPONSE_H_
#define HTTP_ERROR_RESPONSE_H_

#include <cstdint>
#include <string_view>

#include "http/message.h"
#include "http/problem.h"

namespace kvasir::http {

enum class Errors : std::uint8_t {
  kProblem,  ///< RFC 9457.
  kMem0,     ///< {"detail"}
  kOpenAi,   ///< {"error": {"message", "type", "param", "code"}}
  kJsonRpc,  ///< {"jsonrpc", "id": null, "error": {"code", "message", "data"}}
};

/// Status and headers are the same in every style.
Response ErrorResponse(Errors style, const Problem& problem, std::string_view request_id);

}  // namespace kvasir::http

#endif  // HTTP_ERROR_RESPONSE_H_
