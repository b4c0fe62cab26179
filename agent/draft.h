// A memory on its way into the store: checked, planned, cut into segments, not yet encoded.
#ifndef KVASIR_AGENT_DRAFT_H_
#define KVASIR_AGENT_DRAFT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "model/encoder.h"
#include "storage/store.h"

namespace kvasir::agent {

struct Draft {
  storage::SpaceId space{};
  storage::DocumentNumber number = 0;
  storage::DocumentWrite write;
  RememberOutcome outcome = RememberOutcome::kCreated;
  /// Tokens of each of write.segments, whose payloads are empty until they are encoded.
  std::vector<model::TokenSequence> tokens;
  std::size_t encoded = 0;  ///< Segments that have their payloads.
  /// Set when there is nothing to do: the store holds exactly this.
  std::optional<RememberReceipt> unchanged;

  bool Ready() const { return encoded == write.segments.size(); }
  std::uint64_t TokenCount() const;
};

/// Plans what `request` asks for: a new memory, a new version of the one with that id, new metadata
/// only, or nothing. A request that was carried out before under its idempotency key has the
/// receipt of then as `unchanged`; a key whose request changes nothing is kept at once. Errors:
/// kInvalidArgument names the field, and the byte where text is not clean UTF-8.
Result<Draft> DraftRemember(Bank& bank, const RememberRequest& request);

/// Plans an edit. kNotFound without such a memory, kConflict when `if_match` names another content.
Result<Draft> DraftUpdate(Bank& bank, const UpdateRequest& request);

/// Plans the encoding of a stored memory by the present model, along its old spans.
Result<Draft> DraftReencode(Bank& bank, const storage::Document& document);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_DRAFT_H_
