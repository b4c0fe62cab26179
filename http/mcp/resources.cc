#include "http/mcp/resources.h"

#include <charconv>
#include <utility>

#include "http/space.h"
#include "kvasir/filter.h"

namespace kvasir::http::mcp {
namespace {

constexpr std::string_view kScheme = "memory://";
constexpr std::uint32_t kPage = 100;

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string Encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || stop != digits.data() + 2) {
      return std::nullopt;
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

Json Describe(const MemoryRecord& record) {
  Json json = {{"uri", ResourceUri({record.space, record.id})},
               {"name", record.id},
               {"mimeType", "text/plain"},
               {"annotations", {{"lastModified", FormatTimestamp(record.updated_at)}}}};
  if (!record.title.empty()) json["title"] = record.title;
  return json;
}

}  // namespace

std::string ResourceUri(const ResourceName& name) {
  return std::string(kScheme) + Encode(name.space) + "/" + Encode(name.id);
}

std::optional<ResourceName> ParseResourceUri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const auto slash = uri.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto space = Decode(uri.substr(0, slash));
  auto id = Decode(uri.substr(slash + 1));
  if (!space || !id || space->empty() || id->empty()) return std::nullopt;
  return ResourceName{*std::move(space), *std::move(id)};
}

Result<Json> ListResources(Memory& memory, const Principal& principal, const std::string& cursor) {
  ListRequest request;
  KVASIR_ASSIGN_OR_RETURN(request.space, SpaceFor(principal, ""));
  request.cursor = cursor;
  request.limit = kPage;
  request.with_text = false;
  auto page = memory.List(request);
  if (IsUnwrittenSpace(page.status(), "")) page = ListPage{};
  if (!page.ok()) return page.status();
  Json resources = Json::array();
  for (const MemoryRecord& record : page->memories) resources.push_back(Describe(record));
  Json json = {{"resources", std::move(resources)}};
  if (!page->next_cursor.empty()) json["nextCursor"] = page->next_cursor;
  return json;
}

Json ListResourceTemplates() {
  return {{"resourceTemplates",
           {{{"uriTemplate", "memory://{space}/{id}"},
             {"name", "memory"},
             {"title", "One memory, word for word"},
             {"description", "The text of the memory `id` in `space`, as it was remembered."},
             {"mimeType", "text/plain"}}}}};
}

Result<Json> ReadResource(Memory& memory, const Principal& principal, const std::string& uri) {
  const auto name = ParseResourceUri(uri);
  const Status unknown = NotFound("there is no resource \"" + uri + "\"");
  if (!name) return unknown;
  const auto space = SpaceFor(principal, name->space);
  if (!space.ok()) return unknown;
  auto record = memory.Get(name->id, *space);
  if (record.status().code() == StatusCode::kNotFound) return unknown;
  if (!record.ok()) return record.status();
  const Json content = {
      {"uri", uri}, {"mimeType", "text/plain"}, {"text", std::move(record->text)}};
  return Json{{"contents", Json::array({content})}};
}

}  // namespace kvasir::http::mcp
