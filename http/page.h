// One page of a list, bounded in bytes: 1000 memories could be gigabytes.
#ifndef HTTP_PAGE_H_
#define HTTP_PAGE_H_

#include "http/json.h"
#include "kvasir/memory.h"

namespace kvasir::http {

/// Up to request.limit memories; with texts it ends early at about 1 MB of them, with a cursor for
/// the rest.
Result<ListPage> ReadPage(Memory& memory, ListRequest request);

/// {"memories", "next_cursor"}; the cursor is null on the last page.
Json ToJson(ListPage page, bool with_text);

}  // namespace kvasir::http

#endif  // HTTP_PAGE_H_
