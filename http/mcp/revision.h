// The revisions of the Model Context Protocol that are spoken here.
#ifndef HTTP_MCP_REVISION_H_
#define HTTP_MCP_REVISION_H_

#include <optional>
#include <string_view>

#include "http/mcp/jsonrpc.h"

namespace kvasir::http::mcp {

/// The first two begin with `initialize`; from k2026_07_28 on each request says its revision.
enum class Revision { k2025_06_18, k2025_11_25, k2026_07_28 };

std::string_view Name(Revision revision);
std::optional<Revision> FindRevision(std::string_view name);

/// Newest first.
Json SupportedRevisions();
Error UnsupportedRevision(const std::string& requested);

/// Does the request carry the envelope of 2026-07-28, well or badly?
bool HasEnvelope(const Json& params);
/// The revision that the envelope names. Errors: kInvalidParams when a required field is missing,
/// kUnsupportedVersion.
std::variant<Revision, Error> ReadEnvelope(const Json& params);

inline constexpr const char* kRevisionField = "io.modelcontextprotocol/protocolVersion";
inline constexpr const char* kCapabilitiesField = "io.modelcontextprotocol/clientCapabilities";
inline constexpr const char* kClientField = "io.modelcontextprotocol/clientInfo";
inline constexpr const char* kServerField = "io.modelcontextprotocol/serverInfo";

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_REVISION_H_
