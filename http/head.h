// The strict reader of a request's head: what two parsers could understand differently is refused.
#ifndef HTTP_HEAD_H_
#define HTTP_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.h"
#include "http/problem.h"

namespace kvasir::http {

inline constexpr std::size_t kMaxTargetBytes = 4 * 1024;
inline constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
inline constexpr std::size_t kMaxHeaderFields = 64;
/// Request line (method and version take less than 32 bytes) and header fields.
inline constexpr std::size_t kMaxHeadBytes = kMaxTargetBytes + 32 + kMaxHeaderBytes;
inline constexpr std::uint64_t kMaxBodyBytes = 8 * 1024 * 1024;
inline constexpr std::uint64_t kMaxBulkBodyBytes = 64 * 1024 * 1024;

/// Reads a whole head, the empty line included. Refused, each with its own code: a bare CR or LF,
/// folded lines, control bytes, names that are no tokens, repeated fields that may stand once,
/// Transfer-Encoding (411; 400 beside Content-Length), Content-Encoding (415), a Content-Length
/// that is no plain number or over kMaxBulkBodyBytes, HTTP other than 1.0 and 1.1, targets that are
/// not a path, percent escapes that are malformed or not UTF-8 or hide a control byte.
std::variant<RequestHead, Problem> ParseHead(std::string_view bytes);

/// Percent escapes decoded ('+' too when `plus_is_space`); nullopt when malformed, not UTF-8, or
/// with a control byte in it.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space);

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace kvasir::http

#endif  // HTTP_HEAD_H_
