// Latent memory as the method selects it: each routed layer its own documents (msa.md §4, §5).
#ifndef KVASIR_AGENT_ROUTED_MEMORY_H_
#define KVASIR_AGENT_ROUTED_MEMORY_H_

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "agent/bank.h"
#include "agent/kv_pages.h"
#include "agent/packer.h"
#include "agent/search.h"
#include "agent/space_index.h"
#include "kvasir/status.h"
#include "model/question.h"
#include "storage/document_set.h"
#include "storage/ids.h"

namespace kvasir::agent {

/// For Prefill of a checkpoint with routers of its own: every routed layer scans the space with its
/// query and gets the pooled keys and values of the k best memories' best segments, in ascending
/// order of numbers. Those that came close are the next layer's likely winners: they are prefetched
/// while the model runs on to it. A segment is what the method calls a document (docs/adr/0002).
/// Pins what it gave out. One thread; borrows all it is given.
class RoutedMemory final : public model::MemoryProvider {
 public:
  RoutedMemory(Bank& bank, std::shared_ptr<SpaceIndex> index, storage::SpaceId space,
               const storage::DocumentSet& allowed, bool explains = false)
      : bank_(bank),
        index_(std::move(index)),
        space_(space),
        allowed_(allowed),
        explains_(explains) {}

  Status Select(const model::RouterQuery& query, std::vector<model::MemoryBlock>& blocks) override;

  /// Every memory that some layer selected since the last Clear, with its highest score and the
  /// segment that had it.
  const std::map<storage::DocumentNumber, LatentHit>& offered() const { return offered_; }
  /// For one made to explain: the best `count` of them and those in `also`, best first, with what
  /// each layer says of them.
  Result<std::vector<Candidate>> Explain(std::size_t count,
                                         const std::set<storage::DocumentNumber>& also) const;
  void Clear() {
    offered_.clear();
    queries_.clear();
  }

 private:
  storage::SegmentRequest RequestOf(const LatentHit& hit) const {
    return {{space_, hit.document, hit.segment}, hit.generation};
  }

  Bank& bank_;
  const std::shared_ptr<SpaceIndex> index_;
  const storage::SpaceId space_;
  const storage::DocumentSet& allowed_;
  const bool explains_;
  std::map<storage::DocumentNumber, LatentHit> offered_;
  std::vector<model::RouterQuery> queries_;  // Of every layer since the last Clear, to explain.
  std::vector<KvPages::Record> records_;     // Of the layer asked last.
  std::vector<LayerMemory> given_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_ROUTED_MEMORY_H_
