#include "http/mcp/headers.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace kvasir::http::mcp {
namespace {

Error Mismatch(const std::string& header, const std::string& what) {
  return {ErrorCode::kHeaderMismatch, "Header mismatch: " + header + " " + what};
}

int Base64Digit(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto found = kDigits.find(c);
  return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

/// Padded base64 whose unused bits are zero, as only one text encodes to it.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string decoded;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += static_cast<char>((bits >> held) & 0xff);
    bits &= (1U << held) - 1;
  }
  if (bits != 0 || held != static_cast<int>(padding) * 2) return std::nullopt;
  return decoded;
}

/// A header's value, out of "=?base64?…?=" if it is in it.
std::optional<std::string> DecodeValue(std::string_view value) {
  constexpr std::string_view kBegin = "=?base64?";
  constexpr std::string_view kEnd = "?=";
  if (value.size() < kBegin.size() + kEnd.size() || !value.starts_with(kBegin) ||
      !value.ends_with(kEnd)) {
    return std::string(value);
  }
  value.remove_prefix(kBegin.size());
  value.remove_suffix(kEnd.size());
  return DecodeBase64(value);
}

/// The parameter that Mcp-Name mirrors, for the methods that have one.
const char* NamedBy(const std::string& method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  return method == "resources/read" ? "uri" : nullptr;
}

std::optional<Error> CheckMirrors(const RequestHead& head, const Message& message) {
  if (head.Header("mcp-method") != std::optional<std::string_view>(message.method)) {
    return Mismatch("Mcp-Method", "is absent or is not the body's method");
  }
  const char* field = NamedBy(message.method);
  if (field == nullptr) return std::nullopt;
  const Json value = message.params.value(field, Json());
  if (!value.is_string()) return std::nullopt;  // The method itself complains better.
  const auto shown = head.Header("mcp-name");
  if (!shown || DecodeValue(*shown) != value.get<std::string>()) {
    return Mismatch("Mcp-Name", std::string("is absent or is not the body's ") + field);
  }
  return std::nullopt;
}

}  // namespace

std::variant<std::optional<Revision>, Error> CheckHeaders(const RequestHead& head,
                                                          const Message& message) {
  const auto header = head.Header("mcp-protocol-version");
  const bool envelope = HasEnvelope(message.params);
  if (!header) {
    if (message.method == "initialize" && !envelope) return std::optional<Revision>();
    return Mismatch("MCP-Protocol-Version", "is absent");
  }
  if (envelope && message.params["_meta"][kRevisionField] != *header) {
    return Mismatch("MCP-Protocol-Version", "is not the version that the body names");
  }
  const auto revision = FindRevision(*header);
  if (!revision) return UnsupportedRevision(std::string(*header));
  if (*revision == Revision::k2026_07_28 && message.kind == MessageKind::kRequest) {
    if (auto error = CheckMirrors(head, message)) return *std::move(error);
  }
  return revision;
}

}  // namespace kvasir::http::mcp
