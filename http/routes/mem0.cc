// The routes of mem0's self-hosted server, so that its clients work unchanged. docs/rest.md says
// what differs; the shapes follow mem0's public server, the words in the answers are its own.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "http/fields.h"
#include "http/render.h"
#include "http/routes/mem0_shapes.h"
#include "http/routes/routes.h"
#include "kvasir/filter.h"

namespace kvasir::http {
namespace {

/// Whose memories: mem0 knows users, agents and runs; a run is a session here.
struct Owner {
  std::string user_id;
  std::string agent_id;
  std::string run_id;

  void Read(Fields& fields) {
    fields.Get("user_id", user_id);
    fields.Get("agent_id", agent_id);
    fields.Get("run_id", run_id);
  }
  bool empty() const { return user_id.empty() && agent_id.empty() && run_id.empty(); }

  Filter ToFilter() const {
    Filter all;
    const std::pair<const char*, const std::string*> parts[] = {
        {"user_id", &user_id}, {"agent_id", &agent_id}, {"session", &run_id}};
    for (const auto& [field, value] : parts) {
      if (value->empty()) continue;
      Filter leaf;
      leaf.op = Filter::Op::kEq;
      leaf.field = field;
      leaf.values = {*value};
      all.children.push_back(std::move(leaf));
    }
    return all;
  }
};

/// mem0 knows no spaces, so its calls never name one.
constexpr std::string_view kNotNamed;

constexpr std::string_view kNobody = "At least one identifier is required.";

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json Mem0Hit(const Hit& hit, const MemoryRecord& record) {
  Json json = Mem0Memory(record);
  json["score"] = hit.score;
  return json;
}

Response Message(const char* text) { return JsonResponse({{"message", text}}); }

}  // namespace

std::string SpaceOfMem0(const Call& call) {
  return call.principal.every_space() ? std::string(kDefaultSpace) : call.principal.space;
}

Json Mem0Memory(const MemoryRecord& record) {
  return {{"id", record.id},
          {"memory", record.text},
          {"hash", record.content_hash},
          {"metadata", record.metadata.empty() ? Json() : ToJson(record.metadata)},
          {"created_at", FormatTimestamp(record.created_at)},
          {"updated_at", FormatTimestamp(record.updated_at)},
          {"user_id", OrNull(record.user_id)},
          {"agent_id", OrNull(record.agent_id)},
          {"run_id", OrNull(record.session)}};
}

Answer Mem0Add(Call& call) {
  RememberRequest request;
  Owner owner;
  std::string text;
  Fields fields(call.body);
  owner.Read(fields);
  const Json* messages =
      call.body.is_object() && call.body.contains("messages") ? &call.body["messages"] : nullptr;
  if (messages != nullptr && messages->is_string()) {
    fields.Get("messages", request.text);
  } else {
    fields.Get("messages", request.messages);
  }
  fields.Get("metadata", request.metadata);
  // mem0 lets a model rewrite what is said into facts; kvasir keeps what was said.
  fields.Ignore("infer");
  fields.Ignore("memory_type");
  fields.Ignore("prompt");
  if (request.text.empty() && request.messages.empty()) fields.Fail("messages: Field required");
  if (owner.empty()) fields.Fail(std::string(kNobody));
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  request.space = SpaceOfMem0(call);
  request.user_id = owner.user_id;
  request.agent_id = owner.agent_id;
  request.session = owner.run_id;
  request.provenance.channel = "rest";
  request.provenance.source = "mem0";
  KVASIR_ASSIGN_OR_RETURN(const RememberReceipt receipt, call.memory->Remember(request));
  KVASIR_ASSIGN_OR_RETURN(const MemoryRecord record, call.memory->Get(receipt.id, request.space));
  const bool same = receipt.outcome == RememberOutcome::kUnchanged;
  const Json result = {
      {"id", receipt.id}, {"memory", record.text}, {"event", same ? "NONE" : "ADD"}};
  return JsonResponse({{"results", Json::array({result})}});
}

Answer Mem0List(Call& call) {
  ListRequest request;
  Owner owner;
  Fields fields(call.request.head.query);
  owner.Read(fields);
  fields.GetCount("limit", request.limit, 1, 1000);
  if (owner.empty()) fields.Fail(std::string(kNobody));
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  request.space = SpaceOfMem0(call);
  request.filter = owner.ToFilter();
  auto page = call.memory->List(request);
  if (IsUnwrittenSpace(page.status(), kNotNamed)) page = ListPage{};
  if (!page.ok()) return page.status();
  Json results = Json::array();
  for (const MemoryRecord& record : page->memories) results.push_back(Mem0Memory(record));
  return JsonResponse({{"results", std::move(results)}});
}

Answer Mem0Get(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const MemoryRecord record, call.memory->Get(call.id, SpaceOfMem0(call)));
  return JsonResponse(Mem0Memory(record));
}

Answer Mem0Update(Call& call) {
  UpdateRequest request;
  request.id = call.id;
  request.space = SpaceOfMem0(call);
  Fields fields(call.body);
  // The server's own clients say "text", its library and older clients "data" or "memory".
  fields.Get("data", request.text);
  fields.Get("memory", request.text);
  fields.Get("text", request.text);
  fields.Get("metadata", request.metadata);
  if (!request.text && !request.metadata) fields.Fail("text: Field required");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_RETURN_IF_ERROR(call.memory->Update(request).status());
  return Message("Memory updated successfully!");
}

Answer Mem0Delete(Call& call) {
  ForgetRequest request;
  request.ids = {call.id};
  request.space = SpaceOfMem0(call);
  KVASIR_ASSIGN_OR_RETURN(const ForgetReceipt receipt, call.memory->Forget(request));
  if (receipt.memories == 0) return NotFound("Memory not found");
  return Message("Memory deleted successfully");
}

Answer Mem0History(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const auto versions, call.memory->History(call.id, SpaceOfMem0(call)));
  Json list = Json::array();
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const MemoryRecord& version = versions[i];
    list.push_back({{"id", version.id + "@" + std::to_string(version.version)},
                    {"memory_id", version.id},
                    {"old_memory", i == 0 ? Json() : Json(versions[i - 1].text)},
                    {"new_memory", version.text},
                    {"event", i == 0 ? "ADD" : "UPDATE"},
                    {"created_at", FormatTimestamp(version.created_at)},
                    {"updated_at", FormatTimestamp(version.updated_at)},
                    {"is_deleted", false}});
  }
  return JsonResponse(list);
}

Answer Mem0DeleteAll(Call& call) {
  Owner owner;
  Fields fields(call.request.head.query);
  owner.Read(fields);
  if (owner.empty()) fields.Fail(std::string(kNobody));
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  ForgetRequest request;
  request.space = SpaceOfMem0(call);
  request.filter = owner.ToFilter();
  const Status status = call.memory->Forget(request).status();
  if (!status.ok() && !IsUnwrittenSpace(status, kNotNamed)) return status;
  return Message("All relevant memories deleted");
}

Answer Mem0Search(Call& call) {
  RecallRequest request;
  Owner owner;
  std::optional<Filter> filters;
  Fields fields(call.body);
  fields.Get("query", request.query);
  owner.Read(fields);
  fields.Get("filters", filters);
  fields.GetCount("limit", request.top_k, 1, 1000);
  fields.GetCount("top_k", request.top_k, 1, 1000);
  fields.Get("threshold", request.threshold, 0.0, 1.0);
  if (request.query.empty()) fields.Fail("query: Field required");
  if (owner.empty() && !filters) fields.Fail(std::string(kNobody));
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  Filter both = owner.ToFilter();
  if (filters) both.children.push_back(*std::move(filters));
  request.filter = std::move(both);
  request.space = SpaceOfMem0(call);
  const CallOptions options{.progress = {}, .stop = call.request.gone};
  auto found = call.memory->Recall(request, options);
  if (IsUnwrittenSpace(found.status(), kNotNamed)) found = RecallResult{};
  if (!found.ok()) return found.status();
  Json results = Json::array();
  for (const Hit& hit : found->hits) {
    // A hit is a segment; mem0 answers with whole memories. Gone meanwhile: not a result.
    const auto record = call.memory->Get(hit.id, request.space);
    if (record.ok()) results.push_back(Mem0Hit(hit, *record));
  }
  return JsonResponse({{"results", std::move(results)}});
}

Answer Mem0Reset(Call& call) {
  ForgetRequest request;
  request.space = SpaceOfMem0(call);
  request.whole_space = true;
  const Status status = call.memory->Forget(request).status();
  if (!status.ok() && !IsUnwrittenSpace(status, kNotNamed)) return status;
  return Message("All memories reset");
}

}  // namespace kvasir::http
