// The Model Context Protocol over a Memory: a message in, a message out. Knows no transport.
#ifndef HTTP_MCP_PROTOCOL_H_
#define HTTP_MCP_PROTOCOL_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/json.h"
#include "http/keys.h"
#include "http/mcp/jsonrpc.h"
#include "http/mcp/revision.h"
#include "kvasir/memory.h"

namespace kvasir::http::mcp {

/// Whom a conversation serves, and how.
struct ProtocolOptions {
  Memory& memory;
  Principal principal;
  bool read_only = false;  ///< The tools that write are not there.
  /// Told what only the operator should read: paths in failures of the store. May be empty.
  std::function<void(std::string_view line)> log{};
};

/// What surrounds one message.
struct Turn {
  /// What `initialize` settled, or the transport's header says; none: the request must say itself.
  std::optional<Revision> agreed{};
  std::stop_token stop{};
  /// Takes notifications that belong to the request. On the calling thread; may be empty.
  std::function<void(const Json& notification)> notify{};
};

/// Stateless, so one may be used from many threads as its Memory may.
class Protocol {
 public:
  explicit Protocol(ProtocolOptions options) : options_(std::move(options)) {}

  /// The reply to a request. Blocks as long as the Memory does.
  Json Answer(const Message& request, const Turn& turn) const;

 private:
  Outcome Dispatch(const Message& request, const Turn& turn,
                   std::optional<Revision>& revision) const;
  Outcome ListTools(const Message& request) const;
  Outcome CallTool(const Message& request, const Turn& turn) const;
  Outcome ReadResource(const Message& request, Revision revision) const;
  Outcome Fail(const Status& status, ErrorCode not_found) const;
  std::string Explain(const Status& status) const;

  const ProtocolOptions options_;
};

/// The revision that a successful reply to `initialize` settled.
std::optional<Revision> SettledBy(const Json& reply);

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_PROTOCOL_H_
