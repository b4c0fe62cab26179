// JSON from strangers: strict parsing into nlohmann's tree, errors as Status.
#ifndef SDK_SRC_JSON_TEXT_H_
#define SDK_SRC_JSON_TEXT_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir::sdk {

/// Parses `text`. Refused, as kInvalidArgument that begins with `what` and names the byte: anything
/// that is not JSON, bad UTF-8, more than 64 levels, an integer beyond 64 signed bits, the same key
/// twice in one object (dropping one of two conditions would widen a filter).
Result<nlohmann::json> ParseJson(std::string_view text, std::string_view what);

/// A scalar or a list of strings; `path` names it in errors.
Result<MetadataValue> ToMetadataValue(const nlohmann::json& json, const std::string& path);
nlohmann::json FromMetadataValue(const MetadataValue& value);

/// Compact text; bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string Dump(const nlohmann::json& json);

}  // namespace kvasir::sdk

#endif  // SDK_SRC_JSON_TEXT_H_
