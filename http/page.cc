#include "http/page.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "http/render.h"

namespace kvasir::http {
namespace {

constexpr std::size_t kPageBytes = 1024 * 1024;

/// How many texts to read next: as many as fit if they are as long as those before, but never a
/// leap, because the next ones may be long.
std::uint32_t ReadAhead(std::size_t bytes, std::size_t count) {
  if (count == 0) return 1;
  const std::size_t fit = (kPageBytes - bytes) / (bytes / count + 1) + 1;
  return static_cast<std::uint32_t>(std::min({fit, count, std::size_t{16}}));
}

}  // namespace

Result<ListPage> ReadPage(Memory& memory, ListRequest request) {
  const std::uint32_t limit = request.limit;
  ListPage page;
  std::size_t bytes = 0;
  do {
    const auto missing = limit - static_cast<std::uint32_t>(page.memories.size());
    request.limit =
        request.with_text ? std::min(missing, ReadAhead(bytes, page.memories.size())) : missing;
    KVASIR_ASSIGN_OR_RETURN(ListPage part, memory.List(request));
    for (MemoryRecord& record : part.memories) {
      bytes += record.text.size();
      page.memories.push_back(std::move(record));
    }
    page.next_cursor = std::move(part.next_cursor);
    request.cursor = page.next_cursor;
  } while (!page.next_cursor.empty() && page.memories.size() < limit && bytes < kPageBytes);
  return page;
}

Json ToJson(ListPage page, bool with_text) {
  Json memories = Json::array();
  for (MemoryRecord& record : page.memories) {
    memories.push_back(
        ToJson(std::move(record), with_text ? RecordText::kBoth : RecordText::kNone));
  }
  return {{"memories", std::move(memories)},
          {"next_cursor", page.next_cursor.empty() ? Json() : Json(page.next_cursor)}};
}

}  // namespace kvasir::http
