// Listing, reading, editing and forgetting under /v1/memories.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "http/fields.h"
#include "http/metrics.h"
#include "http/render.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

/// A page ends early when its texts are this long together: 1000 memories could be gigabytes.
constexpr std::size_t kPageBytes = 1024 * 1024;

/// How many texts to read next: as many as fit if they are as long as those before, but never a
/// leap, because the next ones may be long.
std::uint32_t ReadAhead(std::size_t bytes, std::size_t count) {
  if (count == 0) return 1;
  const std::size_t fit = (kPageBytes - bytes) / (bytes / count + 1) + 1;
  return static_cast<std::uint32_t>(std::min({fit, count, std::size_t{16}}));
}

std::string ETag(const std::string& content_hash) { return "\"" + content_hash + "\""; }

/// Reads `?space=` as the only parameter.
Result<std::string> SpaceOfQuery(const Call& call) {
  std::string space;
  Fields fields(call.request.head.query);
  fields.Get("space", space);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  return call.Space(space);
}

Result<ListPage> ReadPage(Memory& memory, ListRequest request) {
  const std::uint32_t limit = request.limit;
  ListPage page;
  std::size_t bytes = 0;
  do {
    const auto missing = limit - static_cast<std::uint32_t>(page.memories.size());
    request.limit =
        request.with_text ? std::min(missing, ReadAhead(bytes, page.memories.size())) : missing;
    KVASIR_ASSIGN_OR_RETURN(ListPage part, memory.List(request));
    for (MemoryRecord& record : part.memories) {
      bytes += record.text.size();
      page.memories.push_back(std::move(record));
    }
    page.next_cursor = std::move(part.next_cursor);
    request.cursor = page.next_cursor;
  } while (!page.next_cursor.empty() && page.memories.size() < limit && bytes < kPageBytes);
  return page;
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
  std::string view = "full";
  Fields fields(call.request.head.query);
  fields.Get("space", space);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.GetCount("limit", request.limit, 1, 1000);
  fields.Get("cursor", request.cursor);
  fields.Get("view", view);
  if (view != "full" && view != "basic") fields.Fail("\"view\" must be \"basic\" or \"full\"");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  request.with_text = view == "full";
  auto page = ReadPage(*call.memory, request);
  if (IsUnwrittenSpace(page.status(), space)) page = ListPage{};
  if (!page.ok()) return page.status();
  Json memories = Json::array();
  for (MemoryRecord& record : page->memories) {
    memories.push_back(ToJson(std::move(record), request.with_text ? View::kFull : View::kBasic));
  }
  return JsonResponse(
      {{"memories", std::move(memories)},
       {"next_cursor", page->next_cursor.empty() ? Json() : Json(page->next_cursor)}});
}

Answer GetMemory(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const std::string space, SpaceOfQuery(call));
  KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, call.memory->Get(call.id, space));
  const std::string tag = ETag(record.content_hash);
  Response response = JsonResponse(ToJson(std::move(record)));
  response.headers.push_back({"ETag", tag});
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
  fields.Get("text", request.text);
  fields.Get("title", request.title);
  fields.Get("metadata", request.metadata);
  fields.Get("expires_at", request.expires_at);
  fields.Get("valid_from", request.valid_from);
  fields.Get("valid_to", request.valid_to);
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
  call.metrics.AddTokens(TokenKind::kRemembered, receipt->tokens);
  Response response = JsonResponse(ToJson(*receipt));
  response.headers.push_back({"ETag", ETag(receipt->content_hash)});
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
  fields.Get("ids", request.ids);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.Get("whole_space", request.whole_space);
  fields.Get("defer", request.defer);
  fields.Get("dry_run", request.dry_run);
  fields.GetCount("max", request.max, 1, 1'000'000'000);
  const int ways = (fields.Has("ids") ? 1 : 0) + (request.session ? 1 : 0) +
                   (request.filter ? 1 : 0) + (request.whole_space ? 1 : 0);
  if (ways != 1) {
    fields.Fail("say what to forget in exactly one way: ids, session, filters or whole_space");
  }
  if (fields.Has("ids") && request.ids.empty()) fields.Fail("\"ids\" is empty");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  KVASIR_ASSIGN_OR_RETURN(const ForgetReceipt receipt, call.memory->Forget(request));
  Json json = ToJson(receipt);
  json["dry_run"] = request.dry_run;
  return JsonResponse(json);
}

}  // namespace kvasir::http
