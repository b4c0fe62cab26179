// Listing, reading, editing and forgetting under /v1/memories.
#include <optional>
#include <string>
#include <utility>

#include "http/fields.h"
#include "http/page.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

/// Reads `?space=` as the only parameter.
Result<std::string> SpaceOfQuery(const Call& call) {
  std::string space;
  Fields fields(call.request.head.query);
  fields.Get("space", space);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  return call.Space(space);
}

/// The hash in If-Match, "" for "*"; a Problem when there is none.
std::variant<std::string, Problem> IfMatch(const Call& call) {
  const auto header = call.request.head.Header("if-match");
  if (!header) {
    Problem problem;
    problem.status = 428;
    problem.code = "if_match_required";
    problem.detail =
        "Say which version you edit: If-Match with the ETag that you read, or * for any.";
    return problem;
  }
  if (*header == "*") return std::string();
  const bool quoted = header->size() >= 2 && header->front() == '"' && header->back() == '"';
  std::string hash(quoted ? header->substr(1, header->size() - 2) : *header);
  // An empty hash would mean "any" further in.
  if (hash.empty()) hash = "none";
  return hash;
}

}  // namespace

Answer ListMemories(Call& call) {
  ListRequest request;
  std::string space;
  Fields fields(call.request.head.query);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  auto page = ReadPage(*call.memory, request);
  if (IsUnwrittenSpace(page.status(), space)) page = ListPage{};
  if (!page.ok()) return page.status();
  return JsonResponse(ToJson(*std::move(page), request.with_text));
}

Answer GetMemory(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const std::string space, SpaceOfQuery(call));
  KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, call.memory->Get(call.id, space));
  const HeaderField tag = ETagOf(record.number, record.version);
  Response response = JsonResponse(ToJson(std::move(record)));
  response.headers.push_back(tag);
  return response;
}

Answer GetMemoryHistory(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const std::string space, SpaceOfQuery(call));
  KVASIR_ASSIGN_OR_RETURN(auto versions, call.memory->History(call.id, space));
  Json list = Json::array();
  for (MemoryRecord& version : versions) list.push_back(ToJson(std::move(version)));
  return JsonResponse({{"versions", std::move(list)}});
}

Answer PutMemory(Call& call) {
  auto condition = IfMatch(call);
  if (const auto* problem = std::get_if<Problem>(&condition)) return *problem;
  UpdateRequest request;
  request.id = call.id;
  request.if_match = std::get<std::string>(std::move(condition));
  std::string space;
  Fields fields(call.body);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  auto receipt = call.memory->Update(request);
  if (receipt.status().code() == StatusCode::kConflict && !request.if_match.empty()) {
    Problem problem;
    problem.status = 412;
    problem.code = "stale";
    problem.detail = "The memory is not what you read any more; read it again and edit that.";
    return problem;
  }
  if (!receipt.ok()) return receipt.status();
  Response response = JsonResponse(ToJson(*receipt));
  response.headers.push_back(ETagOf(receipt->number, receipt->version));
  return response;
}

Answer DeleteMemory(Call& call) {
  ForgetRequest request;
  request.ids = {call.id};
  KVASIR_ASSIGN_OR_RETURN(request.space, SpaceOfQuery(call));
  KVASIR_ASSIGN_OR_RETURN(const ForgetReceipt receipt, call.memory->Forget(request));
  if (receipt.memories == 0) return NotFound("there is no memory \"" + call.id + "\"");
  return JsonResponse(ToJson(receipt));
}

Answer ForgetMemories(Call& call) {
  ForgetRequest request;
  std::string space;
  Fields fields(call.body);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  KVASIR_ASSIGN_OR_RETURN(const ForgetReceipt receipt, call.memory->Forget(request));
  Json json = ToJson(receipt);
  json["dry_run"] = request.dry_run;
  return JsonResponse(json);
}

}  // namespace kvasir::http
