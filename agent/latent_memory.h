// The chosen passages as the local model attends to them: pooled keys and values per routed layer.
#ifndef KVASIR_AGENT_LATENT_MEMORY_H_
#define KVASIR_AGENT_LATENT_MEMORY_H_

#include <span>
#include <stop_token>
#include <vector>

#include "agent/kv_pages.h"
#include "agent/packer.h"
#include "agent/reading.h"
#include "model/question.h"

namespace kvasir::agent {

/// Gives every routed layer the same passages, in ascending document order (msa.md §5). Their pages
/// stay pinned while this lives. For one Prefill.
class LatentMemory final : public model::MemoryProvider {
 public:
  /// Passages whose records cannot be read in their generation are left out: their text is in the
  /// prompt all the same.
  LatentMemory(KvPages* pages, std::span<const Passage> passages, const std::stop_token& stop);

  Status Select(const model::RouterQuery& query, std::vector<model::MemoryBlock>& blocks) override;

 private:
  std::vector<KvPages::Record> records_;
  std::vector<LayerMemory> layer_;  // The layer given out last, of each record.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_LATENT_MEMORY_H_
