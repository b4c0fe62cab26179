// JSON-RPC 2.0 as MCP uses it: which message came, and how answers look.
#ifndef HTTP_MCP_JSONRPC_H_
#define HTTP_MCP_JSONRPC_H_

#include <string>
#include <string_view>
#include <variant>

#include "http/json.h"

namespace kvasir::http::mcp {

/// The numbers are the protocol's.
enum class ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kResourceNotFound = -32002,  ///< Until 2025-11-25; kInvalidParams since.
  kHeaderMismatch = -32020,
  kUnsupportedVersion = -32022,
};

struct Error {
  ErrorCode code = ErrorCode::kInternalError;
  std::string message;
  Json data{};  ///< Null: left out.
};

/// What a method gives back.
using Outcome = std::variant<Json, Error>;

enum class MessageKind { kRequest, kNotification, kResponse };

struct Message {
  MessageKind kind = MessageKind::kRequest;
  Json id{};  ///< A string or an integer, for requests.
  std::string method;
  Json params = Json::object();
};

/// One message; batches, ids that are null or fractions, and params that are no object are refused.
std::variant<Message, Error> ReadMessage(const Json& json);

/// `id` null: the request's id could not be read.
Json ErrorReply(const Json& id, const Error& error);
Json ResultReply(const Json& id, Json result);
Json Notification(std::string_view method, Json params);

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_JSONRPC_H_
