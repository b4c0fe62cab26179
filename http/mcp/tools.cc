#include "http/mcp/tools.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/fields.h"
#include "http/mcp/tool_definitions.h"
#include "http/page.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/space.h"

namespace kvasir::http::mcp {
namespace {

/// For calls of the SDK that report stages.
CallOptions OptionsOf(const ToolCall& call) {
  CallOptions options;
  options.stop = call.stop;
  if (call.progress) {
    options.progress = [&call](const Progress& progress) {
      std::string message(progress.stage);
      message += " " + std::to_string(progress.done);
      if (progress.total != 0) message += " of " + std::to_string(progress.total);
      call.progress(message);
    };
  }
  return options;
}

/// The arguments of a tool as a request of the SDK, its space settled. `named` is the space as the
/// caller gave it, "" when it did not.
template <typename Request>
Status ReadArguments(const ToolCall& call, Request& request, std::string& named) {
  Fields fields(call.arguments);
  fields.Get("space", named);
  if constexpr (std::is_same_v<Request, UpdateRequest>) {
    fields.Get("id", request.id);
    fields.Get("if_match", request.if_match);
    if (request.id.empty()) fields.Fail("\"id\" is missing or empty");
  }
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, SpaceFor(call.principal, named));
  return Status::Ok();
}

Result<Json> Remember(const ToolCall& call) {
  RememberRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  request.provenance.channel = "mcp";
  if (request.provenance.source.empty()) request.provenance.source = call.client;
  KVASIR_ASSIGN_OR_RETURN(const auto receipt, call.memory.Remember(request, OptionsOf(call)));
  return ToJson(receipt);
}

Result<Json> Recall(const ToolCall& call) {
  RecallRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  auto found = call.memory.Recall(request, {.progress = {}, .stop = call.stop});
  if (IsUnwrittenSpace(found.status(), named)) found = RecallResult{};
  if (!found.ok()) return found.status();
  return ToJson(*found);
}

Result<Json> Ask(const ToolCall& call) {
  AskRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  if (call.progress) {
    request.on_event = [&call](const AskEvent& event) {
      if (event.kind == AskEventKind::kToken) call.progress(std::string(event.text));
      if (event.kind == AskEventKind::kHop) {
        call.progress("hop " + std::to_string(event.hop) + ": read " +
                      std::to_string(event.ids.size()) + " memories");
      }
    };
  }
  KVASIR_ASSIGN_OR_RETURN(const auto answer,
                          call.memory.Ask(request, {.progress = {}, .stop = call.stop}));
  return ToJson(answer);
}

Result<Json> List(const ToolCall& call) {
  ListRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  auto page = ReadPage(call.memory, request);
  if (IsUnwrittenSpace(page.status(), named)) page = ListPage{};
  if (!page.ok()) return page.status();
  return ToJson(*std::move(page), request.with_text);
}

Result<Json> Get(const ToolCall& call) {
  std::string id;
  std::string named;
  Fields fields(call.arguments);
  fields.Get("space", named);
  fields.Get("id", id);
  if (id.empty()) fields.Fail("\"id\" is missing or empty");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(const std::string space, SpaceFor(call.principal, named));
  KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, call.memory.Get(id, space));
  return ToJson(std::move(record));
}

Result<Json> Update(const ToolCall& call) {
  UpdateRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  KVASIR_ASSIGN_OR_RETURN(const auto receipt, call.memory.Update(request));
  return ToJson(receipt);
}

Result<Json> Forget(const ToolCall& call) {
  ForgetRequest request;
  std::string named;
  KVASIR_RETURN_IF_ERROR(ReadArguments(call, request, named));
  KVASIR_ASSIGN_OR_RETURN(const auto receipt, call.memory.Forget(request, OptionsOf(call)));
  // Somebody who names an id wants to know when there was none.
  if (receipt.memories == 0 && !request.ids.empty()) {
    return NotFound("there is no memory \"" + request.ids.front() + "\"");
  }
  Json json = ToJson(receipt);
  json["dry_run"] = request.dry_run;
  return json;
}

constexpr std::array<Tool, 7> kTools = {{
    {"memory_remember", Scope::kWrite, Remember},
    {"memory_recall", Scope::kRead, Recall},
    {"memory_ask", Scope::kRead, Ask},
    {"memory_list", Scope::kRead, List},
    {"memory_get", Scope::kRead, Get},
    {"memory_update", Scope::kWrite, Update},
    {"memory_forget", Scope::kForget, Forget},
}};

}  // namespace

const Tool* FindTool(std::string_view name, bool read_only) {
  const auto* found = std::ranges::find(kTools, name, &Tool::name);
  if (found == kTools.end()) return nullptr;
  return read_only && found->scope != Scope::kRead ? nullptr : found;
}

Json ListTools(const Principal& principal, bool read_only) {
  static const Json definitions = Json::parse(ToolDefinitions());
  Json list = Json::array();
  for (const Json& definition : definitions) {
    const Tool* tool = FindTool(definition["name"].get_ref<const std::string&>(), read_only);
    if (tool == nullptr || !principal.scopes.Has(tool->scope)) continue;
    list.push_back(definition);
    if (!principal.every_space()) list.back()["inputSchema"]["properties"].erase("space");
  }
  return list;
}

}  // namespace kvasir::http::mcp
