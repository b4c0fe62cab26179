#include "http/mcp/jsonrpc.h"

#include <utility>

namespace kvasir::http::mcp {
namespace {

Error Invalid(std::string message) { return {ErrorCode::kInvalidRequest, std::move(message)}; }

}  // namespace

std::variant<Message, Error> ReadMessage(const Json& json) {
  if (json.is_array()) return Invalid("batches are not part of the protocol: send one message");
  if (!json.is_object()) return Invalid("a message is a JSON object");
  if (json.value("jsonrpc", Json()) != "2.0") return Invalid("\"jsonrpc\" must be \"2.0\"");
  Message message;
  const auto id = json.find("id");
  if (id != json.end()) {
    if (!id->is_string() && !id->is_number_integer()) {
      return Invalid("\"id\" must be a string or an integer");
    }
    message.id = *id;
  }
  const auto method = json.find("method");
  if (method == json.end()) {
    if (!json.contains("result") && !json.contains("error"))
      return Invalid("\"method\" is missing");
    message.kind = MessageKind::kResponse;
    return message;
  }
  if (!method->is_string()) return Invalid("\"method\" must be a string");
  message.method = method->get<std::string>();
  message.kind = id == json.end() ? MessageKind::kNotification : MessageKind::kRequest;
  if (const auto params = json.find("params"); params != json.end()) {
    if (!params->is_object())
      return Error{ErrorCode::kInvalidParams, "\"params\" must be an object"};
    message.params = *params;
  }
  return message;
}

Json ErrorReply(const Json& id, const Error& error) {
  Json json = {{"code", static_cast<int>(error.code)}, {"message", error.message}};
  if (!error.data.is_null()) json["data"] = error.data;
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(json)}};
}

Json ResultReply(const Json& id, Json result) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

Json Notification(std::string_view method, Json params) {
  return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

}  // namespace kvasir::http::mcp
