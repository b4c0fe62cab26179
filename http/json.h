// The one door to nlohmann/json: strict parsing of what strangers send, and safe writing.
#ifndef HTTP_JSON_H_
#define HTTP_JSON_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::http {

/// Objects are sorted trees: a body of a million keys must not cost a million squared.
using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 64;
/// A value costs up to about 100 bytes in memory and two in a body, so 8 MB of "0,0,0,…" would
/// become 400 MB. 200 000 is a conversation of 50 000 turns.
inline constexpr std::size_t kMaxJsonValues = 200'000;

/// One JSON document and nothing after it. Refuses (kInvalidArgument, naming the byte): bad UTF-8,
/// more than kMaxJsonDepth levels, more than kMaxJsonValues values, an integer that 64 bits cannot
/// hold, a key that appears twice in one object.
Result<Json> ParseJson(std::string_view text);

/// Compact. Bytes that are not UTF-8 become U+FFFD; never throws for that.
std::string DumpJson(const Json& value);

}  // namespace kvasir::http

#endif  // HTTP_JSON_H_
