#include "sdk/cli/json.h"

#include <charconv>
#include <cstdint>

#include "sdk/cli/format.h"

namespace kvasir::cli {
namespace {

// Copying or destroying a value recurses; some ten thousand levels end the process.
constexpr int kMaxDepth = 64;

bool FitsIn64Bits(std::string_view digits) {
  const char* end = digits.data() + digits.size();
  std::int64_t as_signed = 0;
  std::uint64_t as_unsigned = 0;
  return std::from_chars(digits.data(), end, as_signed).ec == std::errc{} ||
         std::from_chars(digits.data(), end, as_unsigned).ec == std::errc{};
}

/// What the parser would accept although we cannot keep it: checked on the text, before any value
/// is made.
Status CheckLimits(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return InvalidArgument(Format("JSON is nested more than {} levels deep", kMaxDepth));
      }
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const std::size_t end = std::min(text.find_first_not_of("+-.0123456789eE", i), text.size());
      const std::string_view number = text.substr(i, end - i);
      if (number.find_first_of(".eE") == std::string_view::npos && !FitsIn64Bits(number)) {
        return InvalidArgument(Format("JSON integer {} does not fit in 64 bits", number));
      }
      i = end - 1;
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  KVASIR_RETURN_IF_ERROR(CheckLimits(text));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return InvalidArgument(Format("not JSON at byte {}", error.byte));
  } catch (const Json::exception& error) {
    return InvalidArgument(Format("not JSON: {}", error.what()));
  }
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kvasir::cli
