// The latent channel of one space: every present segment's router keys, in memory, or sketches of
// them there and the keys in the store.
#ifndef KVASIR_AGENT_SPACE_INDEX_H_
#define KVASIR_AGENT_SPACE_INDEX_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/router_keys.h"
#include "compute/fair_shared_mutex.h"
#include "compute/route.h"
#include "compute/whitening.h"
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

/// What is asked of the latent channel.
struct LatentQuery {
  std::span<const model::RouterQuery> layers;       ///< Of different routed layers.
  const storage::DocumentSet* allowed = nullptr;    ///< Null: all. Decided before any scoring.
  std::size_t best = 100;                           ///< How many of the best memories to return…
  std::span<const storage::DocumentNumber> also{};  ///< …and which besides, if they are here.
  /// kExact reads every key whole: the oracle. kAuto may miss one of the best in about one search
  /// in a thousand, never what is in `also`; every score that it returns is exact.
  compute::RouteEffort effort = compute::RouteEffort::kAuto;
};

/// One question's scores of the memories that were asked for.
class LatentScores {
 public:
  /// The best, best first, equal ones by document number.
  std::span<const LatentHit> best() const { return best_; }
  /// One of the best, or of those asked for besides.
  std::optional<LatentHit> Find(storage::DocumentNumber document) const;

 private:
  friend class SpaceIndex;

  std::vector<LatentHit> best_;
  std::vector<LatentHit> known_;  // best_ and the others, ascending by document.
};

/// Segments enter and leave by whole documents: an answer shows all of one version or nothing of
/// it. Scans run beside each other and beside one writer, who changes a document in moments: what
/// changed while a question was scanned is scored again before it is answered, so that an answer is
/// true at its end. Every method may be called from any thread.
class SpaceIndex {
 public:
  /// `keys`, which must outlive it: where an index that gives up its keys has them from. Null: it
  /// never does.
  static Result<std::unique_ptr<SpaceIndex>> Make(const model::RouterSpec& spec, int threads,
                                                  std::unique_ptr<SpaceKeys> keys = nullptr);

  /// Adds one stored segment while the space is loaded, in (document, segment) order. A document is
  /// shown when the next one begins, the last one by FinishLoading.
  Status Append(const storage::SegmentView& router);
  void FinishLoading();
  /// Sketches what was loaded, if it is large; answers are whole before and meanwhile, only slower,
  /// while changes wait. kUnavailable without memory, kCancelled when `stop` was asked: it goes on
  /// without.
  Status MakeSketches(const std::stop_token& stop = {}) { return index_->EndFill(threads_, stop); }
  bool WantsSketches() const { return index_->WantsSketches(); }
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

  /// The best documents by their best segments. Costs what RouteIndex::ScanBest does, and a pass
  /// over the list of segments.
  Result<LatentScores> Score(const LatentQuery& query) const;
  /// What Score says of these documents alone, in their order; those that are not here are left
  /// out. Reads their keys only, under the lock: for a few documents.
  Result<std::vector<LatentHit>> ScoreSome(
      std::span<const model::RouterQuery> layers,
      std::span<const storage::DocumentNumber> documents) const;
  /// The `count` best memories by one layer alone, as a routed layer selects them (msa.md §4): best
  /// first, equal ones by document number, each with its best segment.
  Result<std::vector<LatentHit>> Select(const model::RouterQuery& query, std::size_t count,
                                        const storage::DocumentSet* allowed) const;
  /// How like the question each hit's segment is by what tells the memories of this space apart: as
  /// Score, but of vectors that compute::Whitening has whitened, by a sample of the keys that are
  /// here. In the hits' order; nothing for one that was edited since, and for all when the routers
  /// do not fold. Costs a reading of their keys and dim² multiplications each; the first call, and
  /// one after something was erased or a sixteenth added, looks at the sample before (0.15 s) and
  /// keeps 0.8 MB a layer of 576 numbers.
  Result<std::vector<std::optional<double>>> ScoreApart(std::span<const model::RouterQuery> layers,
                                                        std::span<const LatentHit> hits) const;
  /// What each layer says of one segment, for people. Reads the keys of these segments only.
  Result<std::vector<std::vector<LayerScore>>> Explain(std::span<const model::RouterQuery> queries,
                                                       std::span<const LatentHit> hits) const;

  /// From now on only sketches are in memory. kUnavailable when there is none for them.
  Status GiveUpKeys() { return index_->GiveUpKeys(threads_); }
  bool HoldsKeys() const { return index_->HoldsKeys(); }
  std::uint64_t Segments() const { return static_cast<std::uint64_t>(index_->Entries()); }
  std::uint64_t Bytes() const;

 private:
  /// One version of a document: entries of the index that follow each other.
  struct Version {
    storage::Generation generation = 0;
    std::uint64_t change = 0;   // The change of this index that made it.
    std::uint32_t first = 0;    // Ordinal of its first entry.
    std::uint32_t entries = 0;  // 0: not here.
  };
  /// A version whose entries are in the index, not shown yet.
  struct Draft {
    storage::DocumentNumber document = 0;
    storage::Generation generation = 0;
    std::uint32_t first = 0;
    std::vector<std::uint32_t> segments;  // Of its entries.
  };
  struct Question;  // What one question keeps, space_search.cc.
  /// What tells the memories apart, space_apart.cc.
  struct Apart {
    std::vector<compute::Whitening> layers;
    std::int64_t entries = 0;  // That were here.
  };

  SpaceIndex(const model::RouterSpec& spec, std::unique_ptr<SpaceKeys> keys,
             std::unique_ptr<compute::RouteIndex> index, int threads)
      : spec_(spec), keys_(std::move(keys)), index_(std::move(index)), threads_(threads) {}

  // Changes, under writer_.
  Status AppendEntry(std::uint32_t segment, const storage::SegmentView& router, Draft* draft);
  void Publish(const Draft& draft);
  void RemoveLocked(storage::DocumentNumber document);
  void Erase(const Version& version);

  // Questions, in this order.
  Result<LatentScores> Answer(const LatentQuery& query, std::span<const float> weights) const;
  void Ask(std::span<const model::RouterQuery> layers, std::span<const float> weights,
           Question* question) const;
  void Begin(const LatentQuery& query, Question* question) const;
  Status Scan(const LatentQuery& query, Question* question) const;
  static void Choose(const LatentQuery& query, Question* question);
  Result<LatentScores> Finish(const LatentQuery& query, const Question& question) const;
  Result<std::vector<LatentHit>> ScoreNow(const Question& question,
                                          std::span<const storage::DocumentNumber> documents) const;

  compute::RouteQuery QueryOf(const model::RouterQuery& query) const;
  Status ScoreEntries(const compute::RouteQuery& query, std::span<const std::uint32_t> entries,
                      std::span<float> scores, std::span<std::uint32_t> best_chunk) const;
  Status ScoreAll(const compute::RouteQuery& query, std::span<float> scores) const;

  // space_apart.cc
  std::vector<std::uint32_t> SampleEntries() const;
  Result<std::shared_ptr<const Apart>> MakeApart() const;
  Result<std::shared_ptr<const Apart>> GetApart() const;
  void DropApart();
  Status AddApart(const Apart& apart, std::int64_t layer, std::span<const float> asked,
                  std::span<const LatentHit> hits, std::span<std::optional<double>> scores) const;
  std::vector<std::uint32_t> EntriesOf(std::span<const LatentHit> hits,
                                       std::vector<std::size_t>* places) const;

  const model::RouterSpec spec_;
  const std::unique_ptr<SpaceKeys> keys_;
  const std::unique_ptr<compute::RouteIndex> index_;
  const int threads_;

  std::mutex writer_;  // One change at a time; taken before mutex_.
  Draft loading_;      // Under writer_: what Append has not shown yet.

  /// Guards what follows, for as long as a pass over it takes; never held while keys are written or
  /// scanned, but while those of a few documents are read.
  mutable compute::FairSharedMutex mutex_;
  std::vector<std::uint32_t> documents_;  // By ordinal.
  std::vector<std::uint32_t> segments_;   // By ordinal.
  std::vector<Version> versions_;         // By document number, which are dense.
  std::uint64_t changes_ = 0;
  std::uint64_t leaving_ = 0;  // Versions no longer shown whose keys are being erased.

  mutable std::mutex making_apart_;  // One at a time makes it; taken before apart_mutex_.
  mutable std::mutex apart_mutex_;   // Guards what follows; nothing is taken under it.
  mutable std::shared_ptr<const Apart> apart_;  // Null: to be made.
  std::uint64_t erasures_ = 0;                  // What was made before one is not kept.
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SPACE_INDEX_H_
