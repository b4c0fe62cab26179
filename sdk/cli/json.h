// JSON as the command line reads and writes it; the one door to nlohmann/json.
#ifndef SDK_CLI_JSON_H_
#define SDK_CLI_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::cli {

/// Keeps the order of insertion, so that printed schemas read well and stay stable.
using Json = nlohmann::ordered_json;

/// One JSON value and nothing after it. Refused: bad UTF-8, more than 64 levels, integers beyond 64
/// bits.
Result<Json> ParseJson(std::string_view text);

/// On one line; what is not UTF-8 becomes U+FFFD.
std::string Dump(const Json& json);

}  // namespace kvasir::cli

#endif  // SDK_CLI_JSON_H_
