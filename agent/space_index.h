// The latent channel of one space: every present segment's router keys, in memory.
#ifndef KVASIR_AGENT_SPACE_INDEX_H_
#define KVASIR_AGENT_SPACE_INDEX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compute/fair_shared_mutex.h"
#include "compute/route.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "model/router.h"
#include "storage/document_set.h"
#include "storage/ids.h"
#include "storage/segment.h"

namespace kvasir::agent {

/// A memory as routing sees it: its best segment and that one's score, the weighted sum over the
/// routed layers.
struct LatentHit {
  storage::DocumentNumber document = 0;
  std::uint32_t segment = 0;
  storage::Generation generation = 0;
  double score = 0;
};

/// One question's scores over all allowed memories of a space.
class LatentScores {
 public:
  /// The `count` best, best first, equal ones by document number.
  std::vector<LatentHit> Top(std::size_t count) const;
  std::optional<LatentHit> Find(storage::DocumentNumber document) const;

  std::size_t size() const { return hits_.size(); }

 private:
  friend class SpaceIndex;

  std::vector<LatentHit> hits_;  // Ascending by document.
};

/// Segments enter and leave by whole documents: a scan sees all of one version or nothing of it.
/// Scans run beside each other; a writer waits for the scans before it. Every method may be called
/// from any thread.
class SpaceIndex {
 public:
  static Result<std::unique_ptr<SpaceIndex>> Make(const model::RouterSpec& spec, int threads);

  /// Adds one stored segment while the space is loaded, in (document, segment) order.
  Status Append(const storage::SegmentView& router);
  /// Puts the sealed or unsealed router records of one version in the place of the document's
  /// earlier one.
  Status Replace(storage::DocumentNumber document, storage::Generation generation,
                 std::span<const std::string> routers);
  /// The same keys belong to a newer version (only metadata changed).
  void Restamp(storage::DocumentNumber document, storage::Generation generation);
  /// Overwrites the document's keys in memory before it returns.
  void Remove(storage::DocumentNumber document);
  /// Removes every document that is not in `present`.
  void Retain(const storage::DocumentSet& present);

  /// Scores every segment of every document in `allowed` (null: all).
  Result<LatentScores> Score(std::span<const model::RouterQuery> queries,
                             const storage::DocumentSet* allowed) const;
  /// The `count` best memories by one layer alone, as a routed layer selects them (msa.md §4): best
  /// first, equal ones by document number, each with its best segment.
  Result<std::vector<LatentHit>> Select(const model::RouterQuery& query, std::size_t count,
                                        const storage::DocumentSet* allowed) const;
  /// What each layer says of one segment, for people. Costs a scan per layer.
  Result<std::vector<std::vector<LayerScore>>> Explain(std::span<const model::RouterQuery> queries,
                                                       std::span<const LatentHit> hits) const;

  std::uint64_t Bytes() const;

 private:
  struct Place {
    storage::DocumentNumber document = 0;
    std::uint32_t segment = 0;
  };
  struct Version {
    storage::Generation generation = 0;
    std::uint32_t segments = 0;  // 0: not here.
  };

  SpaceIndex(const model::RouterSpec& spec, std::unique_ptr<compute::RouteIndex> index, int threads)
      : spec_(spec), index_(std::move(index)), threads_(threads) {}
  Status AppendLocked(storage::DocumentNumber document, std::uint32_t segment,
                      const storage::SegmentView& router);
  void RemoveLocked(storage::DocumentNumber document);
  Version& VersionOf(storage::DocumentNumber document);
  compute::EntryBitmap EntriesOf(const storage::DocumentSet& documents) const;
  /// The best segment of each document by the entries' scores.
  LatentScores BestSegments(std::span<const float> scores) const;
  Result<std::vector<float>> Totals(std::span<const model::RouterQuery> queries,
                                    const compute::EntryBitmap* allowed) const;
  Status ScanLayer(std::size_t layer, const model::RouterQuery& query,
                   const compute::EntryBitmap* allowed, std::span<float> scores,
                   std::span<std::uint32_t> best_chunk) const;

  const model::RouterSpec spec_;
  const std::unique_ptr<compute::RouteIndex> index_;
  const int threads_;
  mutable compute::FairSharedMutex mutex_;  // Guards what follows, and changes of index_.
  std::vector<Place> places_;               // By ordinal.
  std::vector<Version> versions_;           // By document number, which are dense.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SPACE_INDEX_H_
