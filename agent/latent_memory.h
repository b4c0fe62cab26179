// The chosen passages as the local model attends to them: pooled keys and values per routed layer.
#ifndef KVASIR_AGENT_LATENT_MEMORY_H_
#define KVASIR_AGENT_LATENT_MEMORY_H_

#include <memory>
#include <span>
#include <vector>

#include "agent/kv_cache.h"
#include "agent/reading.h"
#include "model/question.h"

namespace kvasir::agent {

/// Gives every routed layer the same passages, in ascending document order (msa.md §5). Keeps what
/// it gives out. For one Prefill.
class LatentMemory final : public model::MemoryProvider {
 public:
  /// Passages whose records cannot be read in their generation are left out: their text is in the
  /// prompt all the same.
  LatentMemory(KvCache* cache, std::span<const Passage> passages);

  Status Select(const model::RouterQuery& query, std::vector<model::MemoryBlock>& blocks) override;

 private:
  std::vector<std::shared_ptr<const SegmentMemory>> segments_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_LATENT_MEMORY_H_
