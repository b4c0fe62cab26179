// Memories as MCP resources: memory://{space}/{id}.
#ifndef HTTP_MCP_RESOURCES_H_
#define HTTP_MCP_RESOURCES_H_

#include <optional>
#include <string>
#include <string_view>

#include "http/json.h"
#include "http/keys.h"
#include "kvasir/memory.h"

namespace kvasir::http::mcp {

struct ResourceName {
  std::string space;
  std::string id;
};

/// Both parts percent-encoded, so that any id becomes one path segment.
std::string ResourceUri(const ResourceName& name);
std::optional<ResourceName> ParseResourceUri(std::string_view uri);

/// {"resources", "nextCursor"}: memories of the caller's space (of the default space for one who
/// may use all), without their texts.
Result<Json> ListResources(Memory& memory, const Principal& principal, const std::string& cursor);
Json ListResourceTemplates();
/// {"contents"}. Another's space answers kNotFound, as an unknown id does.
Result<Json> ReadResource(Memory& memory, const Principal& principal, const std::string& uri);

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_RESOURCES_H_
