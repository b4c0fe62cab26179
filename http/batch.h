// The lines of POST /v1/memories:batch: one request each, remembered in groups, answered in order.
#ifndef HTTP_BATCH_H_
#define HTTP_BATCH_H_

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

#include "http/json.h"
#include "http/keys.h"
#include "http/message.h"
#include "kvasir/memory.h"

namespace kvasir::http {

/// The idempotency key that a client named; "" for none. kInvalidArgument for one that cannot be.
Result<std::string> IdempotencyKey(const RequestHead& head);

/// A body of POST /v1/memories as the SDK's request.
Result<RememberRequest> ReadRemember(const Principal& principal, const Json& body);

struct BatchContext {
  Memory& memory;
  Principal principal;
  std::string idempotency_key;  ///< Each line's own is made from it and the line's number.
  std::stop_token stop;
  /// Told how many lines have their result, and how many of these are errors. May be empty.
  std::function<void(std::size_t lines, std::size_t failed)> progress;
};

/// Reads `body` to its end (or 10 000 lines, or until told to stop) and remembers each line. One
/// line of JSON per line, in order: a receipt, or {"line", "error"}. What was committed stays.
/// Memory: a group of lines and all results, about 2 MB.
std::string RememberLines(const BatchContext& context, BodyReader& body);

}  // namespace kvasir::http

#endif  // HTTP_BATCH_H_
