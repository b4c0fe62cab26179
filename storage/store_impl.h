// The inside of Store. Its methods are in store.cc (opening, spaces), commit.cc, reading.cc,
// erasure.cc, verification.cc and backup.cc.
#ifndef STORAGE_STORE_IMPL_H_
#define STORAGE_STORE_IMPL_H_

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "storage/catalogue.h"
#include "storage/engine.h"
#include "storage/high_water.h"
#include "storage/ledger.h"
#include "storage/lock_file.h"
#include "storage/pending_erase.h"
#include "storage/posting_cache.h"
#include "storage/postings.h"
#include "storage/store.h"
#include "storage/store_identity.h"

namespace kvasir::storage {

/// Files of a store's folder.
inline constexpr char kIdentityFile[] = "/IDENTITY";
inline constexpr char kLockFile[] = "/LOCK";
inline constexpr char kHighWaterFile[] = "/HIGHWATER";
inline constexpr char kDatabaseFolder[] = "/db";

/// What one commit will do. Built beside the present state, which changes only when the batch is
/// durable.
struct CommitPlan {
  LedgerKind kind = LedgerKind::kWrite;
  Batch batch;
  StoreRow row;
  std::map<SpaceId, SpaceRow> spaces;  ///< Changed ones.
  std::set<SpaceId> dropped;
  std::optional<ModelIdentity> model;
  std::uint64_t created = 0;
  std::uint64_t erased = 0;
  std::uint32_t pending = 0;  ///< Pending-erasure rows so far.
  std::vector<PostingListKey> touched;
  std::vector<Document> heads;                              ///< For the catalogue.
  std::vector<std::pair<SpaceId, DocumentNumber>> removed;  ///< For the catalogue.
  std::set<std::pair<SpaceId, std::string>> ids;            ///< Seen in this batch.
  std::set<std::string> once;                               ///< Rows of keys in this batch.
};

class Store::Impl {
 public:
  Impl(std::string path, StoreOptions options);

  // store.cc
  Status Open();
  Result<SpaceId> EnsureSpace(const std::string& name);
  Result<SpaceId> FindSpace(std::string_view name) const;
  Result<std::string> SpaceName(SpaceId space) const;
  Result<DocumentNumber> ReserveNumbers(SpaceId space, std::uint32_t count);
  Status SetModel(const ModelIdentity& model);
  Status CheckWritable(bool needs_space) const;
  Result<StoreStats> GetStats() const;

  // commit.cc (with write_mutex held, but for Commit)
  Result<CommitReceipt> Commit(std::vector<DocumentWrite> writes);
  CommitPlan StartPlan(LedgerKind kind) const;
  /// The plan's own copy of a space's row, to be changed.
  SpaceRow* PlanSpace(SpaceId space, CommitPlan* plan) const;
  Status Apply(CommitPlan plan);
  Status PlanWrite(const ReadView& view, DocumentWrite write, CommitPlan* plan,
                   DocumentReceipt* receipt);
  Status PlanCreate(const ReadView& view, DocumentWrite* write, Document* document,
                    CommitPlan* plan);
  Status PlanReplace(const ReadView& view, DocumentWrite* write, Document* document,
                     CommitPlan* plan);
  Status PlanSegments(const ReadView& view, DocumentWrite* write, const Document& document,
                      CommitPlan* plan);
  Status PlanDropSegments(const ReadView& view, const Document& old, CommitPlan* plan);
  void PlanRows(const Document& document, CommitPlan* plan);
  void PlanPostings(SpaceId space, DocumentNumber number, const TermTable& table, bool put,
                    CommitPlan* plan) const;

  // once.cc (the Plan* with write_mutex held)
  Result<std::optional<RememberReceipt>> FindOnce(SpaceId space, const OnceKey& once) const;
  Status KeepOnce(SpaceId space, const OnceKey& once, const RememberReceipt& receipt);
  Status PlanOnce(const ReadView& view, SpaceId space, const OnceKey& once,
                  const RememberReceipt& receipt, CommitPlan* plan) const;
  Status PlanEraseOnce(const ReadView& view, SpaceId space, DocumentNumber number,
                       CommitPlan* plan) const;

  // reading.cc
  /// Nothing if there is none; kCorruption also went to on_problem.
  Result<std::optional<DocumentNumber>> FindNumber(const ReadView& view, SpaceId space,
                                                   std::string_view id) const;
  Result<std::optional<Document>> LoadHead(const ReadView& view, SpaceId space,
                                           DocumentNumber number) const;
  Status LoadBody(const ReadView& view, Document* document) const;
  Result<std::optional<TermTable>> LoadTerms(const ReadView& view, SpaceId space,
                                             DocumentNumber number) const;
  Result<Document> Get(SpaceId space, std::string_view id) const;
  Result<Document> GetByNumber(SpaceId space, DocumentNumber number) const;
  Result<std::vector<std::optional<Document>>> GetMany(SpaceId space,
                                                       std::span<const DocumentNumber> numbers,
                                                       bool with_text) const;
  Result<std::vector<Document>> History(SpaceId space, std::string_view id) const;
  Result<ListResult> List(SpaceId space, const ListQuery& query) const;
  Result<DocumentSet> Select(SpaceId space, const Selection& selection) const;
  Result<std::vector<SessionInfo>> Sessions(SpaceId space) const;
  /// From number `from` on; expired ones are left out.
  Result<ScanSummary> ScanHeads(const ReadView& view, SpaceId space, DocumentNumber from,
                                const std::function<bool(Document&)>& visit) const;
  std::vector<Result<StoredSegment>> ReadSegments(SegmentKind kind,
                                                  std::span<const SegmentRequest> requests) const;
  Result<SegmentView> CheckSegment(std::string_view bytes, SegmentKind kind, const SegmentKey& key,
                                   Generation generation) const;
  Result<ScanSummary> ScanRouter(SpaceId space,
                                 const std::function<bool(const SegmentView&)>& visit,
                                 const DocumentRange& range) const;
  Result<std::vector<LexicalHit>> Search(SpaceId space, std::string_view query, std::size_t k,
                                         const DocumentSet* allowed, LexicalState* state) const;
  Result<std::vector<TitleMention>> TitlesIn(SpaceId space, std::string_view text) const;
  Result<std::vector<TitleMention>> TitlesSharing(SpaceId space, std::string_view text,
                                                  std::string_view question,
                                                  DocumentNumber from) const;
  Result<std::vector<Neighbours>> Beside(SpaceId space,
                                         std::span<const DocumentNumber> numbers) const;
  void PutInCatalogue(const Document& head, Catalogue* catalogue) const;
  /// Reads the heads of a space into its catalogue, once.
  Status LoadCatalogue(SpaceId space) const;
  Result<DocumentSet> SelectInMemory(SpaceId space, const Selection& selection) const;
  bool Expired(const MemoryRecord& record) const;
  void Report(const std::string& problem) const;

  // erasure.cc
  Result<EraseReceipt> Erase(SpaceId space, std::span<const DocumentNumber> numbers,
                             const EraseOptions& options);
  Result<EraseReceipt> EraseSpaces(const std::vector<SpaceId>& spaces, const EraseOptions& options);
  Result<EraseReceipt> PurgeExpired(const EraseOptions& options);
  Result<EraseReceipt> CompactErased(const CallOptions& options);
  /// Deletes every row of one document; false if there was none.
  Result<bool> PlanErase(const ReadView& view, SpaceId space, DocumentNumber number,
                         CommitPlan* plan, EraseReceipt* receipt);
  Status PlanEraseDamaged(const ReadView& view, SpaceId space, DocumentNumber number,
                          CommitPlan* plan);
  void PlanPending(const PendingErase& pending, CommitPlan* plan) const;
  Status FinishErasures(bool deferred_too);

  // verification.cc, backup.cc
  Result<VerifyReport> Verify(const CallOptions& options) const;
  Status Backup(const std::string& folder, const CallOptions& options) const;

  std::uint64_t TermHash(std::string_view term) const { return SipHash64(identity.hash_key, term); }

  const std::string path;
  const StoreOptions options;
  Clock& clock;
  RandomSource& random;
  StoreIdentity identity;
  LockFile lock;
  HighWaterFile high_water;
  std::unique_ptr<Engine> engine;

  /// One commit at a time.
  std::mutex write_mutex;
  /// One physical erasure or backup at a time: a backup pins the files that an erasure deletes.
  mutable std::mutex physical_mutex;

  /// The last commit's state. Guarded by state_mutex; changed with write_mutex held too.
  mutable std::shared_mutex state_mutex;
  StoreRow row;
  std::map<SpaceId, SpaceRow> spaces;
  std::map<std::string, SpaceId, std::less<>> names;
  std::optional<ModelIdentity> model;

  /// Numbers given by ReserveNumbers and not yet used.
  struct Reserved {
    DocumentNumber next = 0;
    std::set<DocumentNumber> open;
  };
  std::mutex reserve_mutex;
  std::map<SpaceId, Reserved> reserved;

  mutable std::shared_mutex catalogue_mutex;
  mutable std::map<SpaceId, Catalogue> catalogues;

  mutable PostingCache posting_cache;

 private:
  Status OpenOnce();
  Status OpenFolder();
  Status CreateFolder();
  Status OpenDatabase(bool create);
  Status LoadState(const ReadView& view);
  Status CheckModel();
  Status CheckLedger(const ReadView& view, const HighWaterMark& mark);
  /// After an accepted loss: nothing that was ever handed out may be handed out again.
  Status RaiseFloors(const HighWaterMark& mark);
  HighWaterMark NextMark(const CommitPlan& plan) const;
  void Publish(CommitPlan* plan);
};

}  // namespace kvasir::storage

#endif  // STORAGE_STORE_IMPL_H_
