// Which space a caller means, and what one that was never written to looks like.
#ifndef HTTP_SPACE_H_
#define HTTP_SPACE_H_

#include <string>
#include <string_view>

#include "http/keys.h"
#include "kvasir/status.h"

namespace kvasir::http {

/// The caller's own space, or the one that `named` says ("" is none). kPermissionDenied when the
/// caller's key is for another.
Result<std::string> SpaceFor(const Principal& principal, const std::string& named);

/// A caller who did not name a space sees one that was never written to as empty, not as an error.
bool IsUnwrittenSpace(const Status& status, std::string_view named);

}  // namespace kvasir::http

#endif  // HTTP_SPACE_H_
