// tools.json, embedded: names, descriptions, schemas and hints of the tools.
#ifndef HTTP_MCP_TOOL_DEFINITIONS_H_
#define HTTP_MCP_TOOL_DEFINITIONS_H_

#include <string>

namespace kvasir::http::mcp {

/// A JSON array in the order in which tools are listed.
const std::string& ToolDefinitions();

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_TOOL_DEFINITIONS_H_
