// A memory as one line of JSON: what `remember` and `import` read and `export` writes.
#ifndef SDK_CLI_MEMORY_ROW_H_
#define SDK_CLI_MEMORY_ROW_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::cli {

struct MemoryRow {
  RememberRequest request;
  std::uint32_t left_out = 0;  ///< Unknown fields whose values metadata cannot hold.
};

/// Fields: text or messages; id, title, space, session, user_id, agent_id, metadata, provenance or
/// source, expires_at, valid_from, valid_to. Unknown fields with plain values become metadata.
/// What kvasir derives (number, version, content_hash, …) is ignored, so that exports can be
/// imported. `defaults` gives what the row does not say. Errors name the field.
Result<MemoryRow> ParseMemoryRow(std::string_view line, const RememberRequest& defaults);

/// Does this line look like a row: a JSON object with text or messages?
bool LooksLikeMemoryRow(std::string_view line);

}  // namespace kvasir::cli

#endif  // SDK_CLI_MEMORY_ROW_H_
