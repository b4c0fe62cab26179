// What tools ask: which spaces and sessions there are, and how large everything is.
#include <string>
#include <utility>
#include <vector>

#include "http/fields.h"
#include "http/render.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

/// The spaces that this key may see.
Json SpacesFor(const Principal& principal, const std::vector<SpaceInfo>& spaces) {
  Json list = Json::array();
  for (const SpaceInfo& space : spaces) {
    if (principal.every_space() || space.name == principal.space) list.push_back(ToJson(space));
  }
  return list;
}

Status NoQuery(const Call& call) { return Fields(call.request.head.query).Finish(); }

}  // namespace

Answer GetSpaces(Call& call) {
  KVASIR_RETURN_IF_ERROR(NoQuery(call));
  KVASIR_ASSIGN_OR_RETURN(const Stats stats, call.memory->GetStats());
  return JsonResponse({{"spaces", SpacesFor(call.principal, stats.spaces)}});
}

Answer GetSessions(Call& call) {
  std::string space;
  Fields fields(call.request.head.query);
  fields.Get("space", space);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(const std::string allowed, call.Space(space));
  auto sessions = call.memory->Sessions(allowed);
  if (IsUnwrittenSpace(sessions.status(), space)) sessions = std::vector<SessionInfo>{};
  if (!sessions.ok()) return sessions.status();
  Json list = Json::array();
  for (const SessionInfo& session : *sessions) list.push_back(ToJson(session));
  return JsonResponse({{"sessions", std::move(list)}});
}

Answer GetStoreStats(Call& call) {
  KVASIR_RETURN_IF_ERROR(NoQuery(call));
  KVASIR_ASSIGN_OR_RETURN(const Stats stats, call.memory->GetStats());
  Json json = {{"spaces", SpacesFor(call.principal, stats.spaces)},
               {"model", stats.model},
               {"fingerprint", stats.fingerprint},
               {"backend", stats.backend},
               {"version", Version()}};
  // Sizes of the whole store would tell one tenant what the others do.
  if (call.principal.every_space()) {
    json["disk_bytes"] = stats.disk_bytes;
    json["index_bytes"] = stats.index_bytes;
    json["commits"] = stats.commits;
    json["work"] = Rendering<Json>::WorkOf(stats);
    json["kv_cache"] = Rendering<Json>::Of(stats.kv_cache);
    json["router_cache"] = Rendering<Json>::Of(stats.router_cache);
  }
  return JsonResponse(json);
}

}  // namespace kvasir::http
