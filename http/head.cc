#include "http/head.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace kvasir::http {
namespace {

/// Long enough for every registered method but those of WebDAV.
constexpr std::size_t kMaxMethodBytes = 16;
/// Fields that decide who asks for what: two of them are two readers' two opinions.
constexpr std::string_view kSingle[] = {"host",
                                        "content-length",
                                        "content-type",
                                        "authorization",
                                        "x-api-key",
                                        "if-match",
                                        "idempotency-key",
                                        "origin",
                                        "expect",
                                        "accept",
                                        "mcp-method",
                                        "mcp-name",
                                        "mcp-protocol-version"};

template <typename Range>
bool Contains(const Range& range, std::string_view value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

bool IsTokenByte(unsigned char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(byte)) !=
             std::string_view::npos;
}

Problem Bad(int status, std::string code, std::string detail) {
  Problem problem;
  problem.status = status;
  problem.code = std::move(code);
  problem.detail = std::move(detail);
  return problem;
}

Problem Malformed(std::string detail) { return Bad(400, "malformed_request", std::move(detail)); }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string_view TrimBlanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes one line off `rest`; nullopt at a bare CR or LF or when there is none.
std::optional<std::string_view> TakeLine(std::string_view& rest) {
  const auto end = rest.find_first_of("\r\n");
  if (end == std::string_view::npos || rest.substr(end, 2) != "\r\n") return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<Problem> ReadQuery(std::string_view text, RequestHead& head) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = DecodePercent(pair.substr(0, equals), true);
    auto value = DecodePercent(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) {
      return Malformed("The query has an escape that is malformed or not UTF-8 text.");
    }
    head.query.emplace_back(*std::move(name), *std::move(value));
  }
  return std::nullopt;
}

std::optional<Problem> ReadTarget(std::string_view target, RequestHead& head) {
  if (target.size() > kMaxTargetBytes) {
    return Bad(414, "uri_too_long",
               "The request target is over " + std::to_string(kMaxTargetBytes) + " bytes.");
  }
  const bool plain = std::all_of(target.begin(), target.end(),
                                 [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  if (target.empty() || target.front() != '/' || !plain) {
    return Malformed("The request target must be a path such as /v1/memories, escaped as ASCII.");
  }
  const auto mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(1, mark - 1);
  while (true) {
    const auto slash = std::min(path.find('/'), path.size());
    auto segment = DecodePercent(path.substr(0, slash), false);
    if (!segment) return Malformed("The path has an escape that is malformed or not UTF-8 text.");
    head.path.push_back(*std::move(segment));
    if (slash == path.size()) break;
    path.remove_prefix(slash + 1);
  }
  return ReadQuery(target.substr(std::min(mark + 1, target.size())), head);
}

std::optional<Problem> ReadRequestLine(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Malformed("The request line must be METHOD TARGET HTTP/1.1.");
  }
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Bad(505, "http_version", "Speak HTTP/1.1.");
  }
  head.minor_version = version.back() - '0';
  head.method = std::string(line.substr(0, first));
  const bool word = !head.method.empty() && head.method.size() <= kMaxMethodBytes &&
                    std::all_of(head.method.begin(), head.method.end(),
                                [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!word) return Malformed("The method must be a word such as GET.");
  return ReadTarget(line.substr(first + 1, last - first - 1), head);
}

std::optional<Problem> ReadField(std::string_view line, RequestHead& head) {
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, std::min(colon, line.size()));
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), IsTokenByte)) {
    return Malformed("A header field must be NAME: VALUE on one line.");
  }
  const std::string_view value = TrimBlanks(line.substr(colon + 1));
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
  if (!printable) return Malformed("A header value has a control byte in it.");
  if (head.headers.size() == kMaxHeaderFields) {
    return Bad(431, "headers_too_large",
               "More than " + std::to_string(kMaxHeaderFields) + " header fields.");
  }
  std::string lower = LowerCase(name);
  if (Contains(kSingle, lower) && head.Header(lower)) {
    return Malformed("The header " + lower + " stands twice.");
  }
  head.headers.push_back({std::move(lower), std::string(value)});
  return std::nullopt;
}

/// How long the body is: said once, plainly, in one way.
std::optional<Problem> ReadFraming(RequestHead& head) {
  const auto length = head.Header("content-length");
  if (head.Header("transfer-encoding")) {
    if (length) return Malformed("Content-Length and Transfer-Encoding contradict each other.");
    return Bad(411, "length_required", "Send the body with Content-Length, not chunked.");
  }
  if (head.Header("content-encoding").value_or("identity") != "identity") {
    return Bad(415, "content_encoding", "Send the body as it is, not compressed.");
  }
  if (const auto expect = head.Header("expect"); expect && LowerCase(*expect) != "100-continue") {
    return Bad(417, "expectation_failed", "Only Expect: 100-continue is known.");
  }
  if (!length) return std::nullopt;
  const char* end = length->data() + length->size();
  const bool digits = !length->empty() && std::all_of(length->begin(), length->end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return Malformed("Content-Length must be one plain number.");
  const auto [stop, error] = std::from_chars(length->data(), end, head.content_length);
  if (error != std::errc() || head.content_length > kMaxBulkBodyBytes) {
    return Bad(413, "body_too_large",
               "The body is over " + std::to_string(kMaxBulkBodyBytes) + " bytes.");
  }
  return std::nullopt;
}

}  // namespace

std::variant<RequestHead, Problem> ParseHead(std::string_view bytes) {
  RequestHead head;
  const auto request_line = TakeLine(bytes);
  if (!request_line) return Malformed("Lines must end with CR LF.");
  if (auto problem = ReadRequestLine(*request_line, head)) return *std::move(problem);
  if (bytes.size() > kMaxHeaderBytes) {
    return Bad(431, "headers_too_large",
               "The header fields are over " + std::to_string(kMaxHeaderBytes) + " bytes.");
  }
  while (true) {
    const auto line = TakeLine(bytes);
    if (!line) return Malformed("Header lines must end with CR LF.");
    if (line->empty()) break;
    if (auto problem = ReadField(*line, head)) return *std::move(problem);
  }
  if (auto problem = ReadFraming(head)) return *std::move(problem);
  return head;
}

std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char byte = text[i];
    if (byte == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      byte = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (byte == '+' && plus_is_space) {
      byte = ' ';
    }
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) return std::nullopt;
    decoded.push_back(byte);
  }
  if (!IsUtf8(decoded)) return std::nullopt;
  return decoded;
}

bool IsUtf8(std::string_view text) {
  std::size_t i = 0;
  const auto byte_at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  while (i < text.size()) {
    const unsigned char lead = byte_at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + extra >= text.size()) return false;
    for (std::size_t k = 1; k <= extra; ++k) {
      if ((byte_at(i + k) & 0xC0) != 0x80) return false;
    }
    const unsigned char second = byte_at(i + 1);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
    if (overlong || outside) return false;
    i += extra + 1;
  }
  return true;
}

}  // namespace kvasir::http
