// The paths of mem0's hosted service, for its client class `MemoryClient`. They say the same things
// as the self-hosted ones (mem0.cc), with identities inside `filters`.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "http/fields.h"
#include "http/routes/mem0_shapes.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

constexpr std::uint32_t kMaxPage = 1000;
/// `count` stops here: every listed memory is looked at for it.
constexpr std::size_t kMaxCounted = 100'000;

/// mem0's filters in kvasir's words: run_id is the session, metadata's keys stand beside the
/// others, "*" is anything that is there.
Json Translate(const Json& filters) {
  if (filters.is_array()) {
    Json list = Json::array();
    for (const Json& filter : filters) list.push_back(Translate(filter));
    return list;
  }
  if (!filters.is_object()) return filters;
  Json translated = Json::object();
  for (const auto& [name, value] : filters.items()) {
    if (name == "AND" || name == "OR" || name == "NOT") {
      translated[name] = Translate(value);
    } else if (name == "metadata" && value.is_object()) {
      translated.update(Translate(value));
    } else {
      translated[name == "run_id" ? "session" : name] =
          value == "*" ? Json{{"exists", true}} : value;
    }
  }
  return translated;
}

/// Moves the identities of `filters` to the body itself, where the self-hosted paths have them.
void LiftIdentities(Json& body) {
  if (!body.is_object() || !body.value("filters", Json()).is_object()) return;
  const Json filters = std::move(body["filters"]);
  body.erase("filters");
  for (const auto& [name, value] : filters.items()) body.emplace(name, value);
}

void Drop(Json& body, std::initializer_list<const char*> names) {
  if (!body.is_object()) return;
  for (const char* name : names) body.erase(name);
}

}  // namespace

Answer Mem0Ping(Call& call) {
  // Clients ask this first, to see whether their key is good.
  KVASIR_RETURN_IF_ERROR(Fields(call.request.head.query).Finish());
  return JsonResponse({{"status", "ok"},
                       {"org_id", "kvasir"},
                       {"project_id", SpaceOfMem0(call)},
                       {"user_email", nullptr}});
}

Answer Mem0HostedAdd(Call& call) {
  LiftIdentities(call.body);
  // How mem0's model should rewrite what was said; nothing is rewritten here.
  Drop(call.body, {"custom_categories", "custom_instructions", "agent_custom_instructions",
                   "structured_data_schema", "async_mode", "output_format", "version"});
  return Mem0Add(call);
}

Answer Mem0HostedSearch(Call& call) {
  if (call.body.is_object() && call.body.contains("filters")) {
    call.body["filters"] = Translate(call.body["filters"]);
  }
  Drop(call.body, {"rerank", "keyword_search", "latest_only", "output_format", "version"});
  return Mem0Search(call);
}

Answer Mem0HostedList(Call& call) {
  std::uint32_t page = 1;
  std::uint32_t page_size = 100;
  Fields query(call.request.head.query);
  query.GetCount("page", page, 1, 1'000'000);
  query.GetCount("page_size", page_size, 1, kMaxPage);
  KVASIR_RETURN_IF_ERROR(query.Finish());
  if (call.body.is_object() && call.body.contains("filters")) {
    call.body["filters"] = Translate(call.body["filters"]);
  }
  ListRequest request;
  Fields fields(call.body);
  fields.Get("filters", request.filter);
  if (!request.filter) fields.Fail("filters: Field required");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  request.space = SpaceOfMem0(call);
  request.limit = kMaxPage;
  request.with_text = false;
  const std::size_t first = std::size_t{page - 1} * page_size;
  std::size_t count = 0;
  Json results = Json::array();
  do {
    auto part = call.memory->List(request);
    if (IsUnwrittenSpace(part.status(), "")) part = ListPage{};
    if (!part.ok()) return part.status();
    for (const MemoryRecord& record : part->memories) {
      const std::size_t at = count++;
      if (at < first || at >= first + page_size) continue;
      const auto whole = call.memory->Get(record.id, request.space);
      if (whole.ok()) results.push_back(Mem0Memory(*whole));
    }
    request.cursor = part->next_cursor;
  } while (!request.cursor.empty() && count < kMaxCounted);
  return JsonResponse({{"count", count},
                       {"next", nullptr},
                       {"previous", nullptr},
                       {"results", std::move(results)}});
}

}  // namespace kvasir::http
