// The HTTP headers of MCP, which must say what the body says.
#ifndef HTTP_MCP_HEADERS_H_
#define HTTP_MCP_HEADERS_H_

#include <optional>
#include <variant>

#include "http/mcp/jsonrpc.h"
#include "http/mcp/revision.h"
#include "http/message.h"

namespace kvasir::http::mcp {

/// The revision that MCP-Protocol-Version names; none for an `initialize` without it. Errors:
/// kHeaderMismatch when the header is absent elsewhere, or when it, Mcp-Method or Mcp-Name
/// (2026-07-28) says another thing than the body; kUnsupportedVersion.
std::variant<std::optional<Revision>, Error> CheckHeaders(const RequestHead& head,
                                                          const Message& message);

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_HEADERS_H_
