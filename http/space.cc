#include "http/space.h"

#include "kvasir/requests.h"

namespace kvasir::http {

Result<std::string> SpaceFor(const Principal& principal, const std::string& named) {
  if (principal.every_space()) return named.empty() ? std::string(kDefaultSpace) : named;
  if (named.empty() || named == principal.space) return principal.space;
  return PermissionDenied("this key is for another space than the one named");
}

bool IsUnwrittenSpace(const Status& status, std::string_view named) {
  return named.empty() && status.code() == StatusCode::kNotFound;
}

}  // namespace kvasir::http
