// Remember and update: text in, encoded segments on disk and in the router index.
#ifndef KVASIR_AGENT_REMEMBER_H_
#define KVASIR_AGENT_REMEMBER_H_

#include <span>
#include <vector>

#include "agent/bank.h"
#include "agent/draft.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::RememberBatch. Memories share model passes and are committed in batches of about
/// 8192 tokens, each atomic and synced. Progress counts bytes of text. When `options.stop` asks,
/// what is encoded is still committed and the rest says kCancelled.
std::vector<Result<RememberReceipt>> RememberBatch(Bank& bank,
                                                   std::span<const RememberRequest> requests,
                                                   const CallOptions& options);

/// See Memory::Update. Metadata alone is changed without a model pass.
Result<RememberReceipt> Update(Bank& bank, const UpdateRequest& request,
                               const CallOptions& options);

/// Fills the payloads of all drafts' segments, in order, until done or told to stop: some drafts
/// are then not Ready. `progress` is told of each encoded segment's text bytes.
Status EncodeDrafts(Bank& bank, std::span<Draft* const> drafts, const std::stop_token& stop,
                    const std::function<void(std::uint64_t)>& progress);

/// One synced atomic commit of drafts of any spaces, then the router index learns of them. What was
/// to be written has left the drafts afterwards.
Result<std::vector<RememberReceipt>> CommitDrafts(Bank& bank, std::span<Draft* const> drafts);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_REMEMBER_H_
