// POST /mcp: the Model Context Protocol, one message a request (Streamable HTTP).
#include <string>
#include <utility>

#include "http/event_stream.h"
#include "http/mcp/headers.h"
#include "http/mcp/protocol.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

using mcp::ErrorCode;
using mcp::Message;
using mcp::Revision;

/// Clients of the older revisions take any status but 200 as the end of their session.
int StatusOf(const Json& reply, std::optional<Revision> agreed) {
  if (!reply.contains("error")) return 200;
  switch (static_cast<ErrorCode>(reply["error"]["code"].get<int>())) {
    case ErrorCode::kHeaderMismatch:
    case ErrorCode::kUnsupportedVersion:
    case ErrorCode::kParseError:
    case ErrorCode::kInvalidRequest:
      return 400;
    case ErrorCode::kInvalidParams:
      return agreed == Revision::k2026_07_28 ? 400 : 200;
    case ErrorCode::kMethodNotFound:
      return agreed == Revision::k2026_07_28 ? 404 : 200;
    case ErrorCode::kResourceNotFound:
    case ErrorCode::kInternalError:
      return 200;
  }
  return 200;
}

Response Refusal(const Json& id, const mcp::Error& error) {
  return JsonResponse(mcp::ErrorReply(id, error), 400);
}

/// Is there somebody who would look at progress while the answer is made?
bool WantsStream(const Call& call, const Message& message) {
  const auto accept = call.request.head.Header("accept").value_or("");
  const auto meta = message.params.find("_meta");
  return message.method == "tools/call" &&
         accept.find("text/event-stream") != std::string_view::npos &&
         meta != message.params.end() && meta->is_object() && meta->contains("progressToken");
}

mcp::ProtocolOptions OptionsOf(const Call& call) {
  return {.memory = *call.memory,
          .principal = call.principal,
          .log = [error = call.error](std::string_view line) { error->assign(line); }};
}

/// Progress as it happens, then the reply.
Response Stream(const Call& call, Message message, std::optional<Revision> agreed) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers.push_back({"X-Accel-Buffering", "no"});
  response.stream = [options = OptionsOf(call), message = std::move(message), agreed,
                     gone = call.request.gone, ping = call.ping_interval](ResponseSink& sink) {
    EventStream::Run(
        sink,
        [&](const EventStream::Send& send, std::stop_token stop) {
          const auto notify = [&send](const Json& json) { send("message", json); };
          send("message",
               mcp::Protocol(options).Answer(
                   message, {.agreed = agreed, .stop = std::move(stop), .notify = notify}));
        },
        gone, ping);
  };
  return response;
}

}  // namespace

Answer PostMcp(Call& call) {
  auto read = mcp::ReadMessage(call.body);
  if (const auto* error = std::get_if<mcp::Error>(&read)) return Refusal(nullptr, *error);
  auto& message = std::get<Message>(read);
  if (message.kind == mcp::MessageKind::kResponse) {
    return Refusal(nullptr, {ErrorCode::kInvalidRequest, "nothing was asked of the client"});
  }
  const auto checked = mcp::CheckHeaders(call.request.head, message);
  if (const auto* error = std::get_if<mcp::Error>(&checked)) return Refusal(message.id, *error);
  const auto agreed = std::get<std::optional<Revision>>(checked);
  if (message.kind == mcp::MessageKind::kNotification) {
    // Nothing is kept between requests, so there is nothing for one to act on.
    Response accepted;
    accepted.status = 202;
    return accepted;
  }
  if (WantsStream(call, message)) return Stream(call, std::move(message), agreed);
  const Json reply =
      mcp::Protocol(OptionsOf(call)).Answer(message, {.agreed = agreed, .stop = call.request.gone});
  return JsonResponse(reply, StatusOf(reply, agreed));
}

}  // namespace kvasir::http
