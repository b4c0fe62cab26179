// The tools that an agent calls, over the SDK.
#ifndef HTTP_MCP_TOOLS_H_
#define HTTP_MCP_TOOLS_H_

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/json.h"
#include "http/keys.h"
#include "kvasir/memory.h"

namespace kvasir::http::mcp {

/// One call. References live until it returns.
struct ToolCall {
  Memory& memory;
  const Principal& principal;
  const Json& arguments;  ///< An object.
  std::string client;     ///< As the client calls itself; kept as the source of memories.
  std::stop_token stop{};
  /// Says how far it is; may be empty. On the calling thread.
  std::function<void(const std::string& message)> progress{};
};

struct Tool {
  std::string_view name;
  Scope scope = Scope::kRead;
  /// The structured result. Errors are for the model to read: it may call again, better.
  Result<Json> (*run)(const ToolCall& call) = nullptr;
};

/// Null when there is no such tool, or it writes and only reading is allowed.
const Tool* FindTool(std::string_view name, bool read_only);

/// Definitions, in a fixed order, of the tools that `principal` may use. Without the argument
/// `space` for one who has only one.
Json ListTools(const Principal& principal, bool read_only);

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_TOOLS_H_
