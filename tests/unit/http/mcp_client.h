// What the tests of MCP say and hear, without the boilerplate of JSON-RPC.
#ifndef TESTS_UNIT_HTTP_MCP_CLIENT_H_
#define TESTS_UNIT_HTTP_MCP_CLIENT_H_

#include <string>
#include <utility>

#include "http/json.h"
#include "http/mcp/revision.h"

namespace kvasir::http::mcp {

/// The fields of 2026-07-28 that each request carries.
inline Json Envelope() {
  return {{kRevisionField, "2026-07-28"},
          {kCapabilitiesField, Json::object()},
          {kClientField, {{"name", "test client"}, {"version", "1"}}}};
}

inline Json Ask(const Json& id, const std::string& method, Json params = Json::object()) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

inline Json ModernAsk(const Json& id, const std::string& method, Json params = Json::object()) {
  params["_meta"].update(Envelope());
  return Ask(id, method, std::move(params));
}

inline Json ToolParams(const std::string& name, Json arguments) {
  return {{"name", name}, {"arguments", std::move(arguments)}};
}

}  // namespace kvasir::http::mcp

#endif  // TESTS_UNIT_HTTP_MCP_CLIENT_H_
