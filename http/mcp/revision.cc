#include "http/mcp/revision.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace kvasir::http::mcp {
namespace {

constexpr std::array<std::pair<Revision, std::string_view>, 3> kRevisions = {{
    {Revision::k2026_07_28, "2026-07-28"},
    {Revision::k2025_11_25, "2025-11-25"},
    {Revision::k2025_06_18, "2025-06-18"},
}};

const Json* MetaOf(const Json& params) {
  const auto meta = params.find("_meta");
  return meta == params.end() || !meta->is_object() ? nullptr : &*meta;
}

}  // namespace

std::string_view Name(Revision revision) {
  const auto* found =
      std::ranges::find(kRevisions, revision, [](const auto& r) { return r.first; });
  return found->second;
}

std::optional<Revision> FindRevision(std::string_view name) {
  const auto* found = std::ranges::find(kRevisions, name, [](const auto& r) { return r.second; });
  if (found == kRevisions.end()) return std::nullopt;
  return found->first;
}

Json SupportedRevisions() {
  Json names = Json::array();
  for (const auto& [revision, name] : kRevisions) names.push_back(name);
  return names;
}

Error UnsupportedRevision(const std::string& requested) {
  return {ErrorCode::kUnsupportedVersion,
          "Unsupported protocol version",
          {{"supported", SupportedRevisions()}, {"requested", requested}}};
}

bool HasEnvelope(const Json& params) {
  const Json* meta = MetaOf(params);
  return meta != nullptr && meta->contains(kRevisionField);
}

std::variant<Revision, Error> ReadEnvelope(const Json& params) {
  const Json* meta = MetaOf(params);
  const auto has = [meta](const char* field, bool (Json::*is)() const noexcept) {
    const auto found = meta->find(field);
    return found != meta->end() && ((*found).*is)();
  };
  if (meta == nullptr || !has(kRevisionField, &Json::is_string) ||
      !has(kCapabilitiesField, &Json::is_object)) {
    return Error{ErrorCode::kInvalidParams, std::string("params._meta must hold ") +
                                                kRevisionField + " and " + kCapabilitiesField};
  }
  const std::string named = meta->at(kRevisionField).get<std::string>();
  const auto revision = FindRevision(named);
  if (revision != Revision::k2026_07_28) return UnsupportedRevision(named);
  return *revision;
}

}  // namespace kvasir::http::mcp
