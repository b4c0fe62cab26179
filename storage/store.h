// One store: a folder with a RocksDB database, a commit ledger and a lock. The only door to disk.
#ifndef STORAGE_STORE_H_
#define STORAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "kvasir/types.h"
#include "storage/clock.h"
#include "storage/document_set.h"
#include "storage/ids.h"
#include "storage/lexical.h"
#include "storage/records.h"
#include "storage/segment.h"
#include "storage/titles.h"

namespace kvasir::storage {

struct EngineHooks;  // Test seams of the database engine, storage/engine.h.

/// The model that the store's segments need.
struct ModelIdentity {
  ModelFingerprint fingerprint{};
  std::string name;  ///< For messages; at most 512 bytes.
  friend bool operator==(const ModelIdentity&, const ModelIdentity&) = default;
};

struct StoreOptions {
  bool create = true;        ///< Make the store if there is none.
  bool read_only = false;    ///< No lock taken, no write possible; sees the state at opening.
  bool accept_loss = false;  ///< Open although synced commits are missing; numbers still never
                             ///< return.
  std::uint64_t low_water_bytes = std::uint64_t{256} << 20;  ///< Less free: writes say kNoSpace.
  /// Decoded postings, kept as they are asked for. Over a million notes half of it is too little.
  std::uint64_t posting_cache_bytes = std::uint64_t{512} << 20;
  std::uint64_t block_cache_bytes = std::uint64_t{64} << 20;
  Clock* clock = nullptr;          ///< Null: the machine's. Not owned.
  RandomSource* random = nullptr;  ///< Null: OpenSSL's. Not owned.
  /// A new store is stamped with it; an older store that needs another model says kConflict.
  std::optional<ModelIdentity> model;
  /// Told, on the thread that found it, of every row that could not be trusted. May be empty.
  std::function<void(const std::string&)> on_problem;
  std::shared_ptr<EngineHooks> hooks;
};

enum class WriteMode : std::uint8_t {
  kCreate,      ///< The id must be new in its space.
  kNewVersion,  ///< The old head and text become history; segments and postings are replaced.
  kReencode,    ///< New segments (spans too) for the same text; version and times stay.
};

/// One segment to be stored: unsealed records of SegmentBuilder. Both may be empty (a store without
/// a model): then only text and postings are kept.
struct SegmentWrite {
  SegmentEntry entry;
  std::string router;
  std::string kv;
};

/// Names a write, so that it is done once.
struct OnceKey {
  std::string key;      ///< The caller's; 1 to 255 bytes.
  std::string request;  ///< Equal for equal requests. Of both only keyed hashes are stored.
};

/// One document to be stored. Of `record` the caller fills id, space (a name), session, user_id,
/// agent_id, title, text, messages, metadata, provenance, expires_at, valid_from, valid_to; the
/// store fills the rest. The space must exist (EnsureSpace); an id may come once per commit.
struct DocumentWrite {
  WriteMode mode = WriteMode::kCreate;
  MemoryRecord record;
  /// kCreate: a number from ReserveNumbers, or nothing for the next free one. Else ignored.
  std::optional<DocumentNumber> number;
  std::vector<SegmentWrite> segments;
  /// kNewVersion: keep the present segments' payloads (the text must be byte-equal).
  bool keep_segments = false;
  /// Not empty: kConflict unless the present content hash is this one.
  std::string if_match;
  /// kNewVersion, kReencode: kConflict unless the present generation is this one (0: do not ask).
  Generation if_generation = 0;
  /// kConflict if a write with this key is there: FindOnce has what it said.
  std::optional<OnceKey> once;
  RememberOutcome outcome = RememberOutcome::kCreated;  ///< For the receipt that `once` keeps.
};

struct DocumentReceipt {
  SpaceId space{};
  DocumentNumber number = 0;
  std::uint32_t version = 1;
  Generation generation = 0;
  std::string id;  ///< Also the one that the store made for an empty id.
  std::string content_hash;
  std::uint32_t segments = 0;
  std::uint64_t tokens = 0;
};

struct CommitReceipt {
  std::uint64_t sequence = 0;  ///< Position in the commit ledger.
  std::vector<DocumentReceipt> documents;
};

/// Which documents of a space: all conditions at once. Expired ones never match.
struct Selection {
  std::string session{};  ///< Empty: any.
  std::optional<Filter> filter{};
  std::optional<Timestamp> as_of{};  ///< Valid at this time: [valid_from, valid_to).
  Trust least_trust = Trust::kUntrusted;
};

struct ListQuery {
  Selection selection{};
  DocumentNumber from = 0;  ///< First number that may be returned.
  std::uint32_t limit = 100;
  bool with_text = true;
};

struct ListResult {
  std::vector<Document> documents;     ///< Ascending by number.
  std::optional<DocumentNumber> next;  ///< `from` of the next page; nothing on the last.
};

/// A segment's record as read: owns the aligned bytes that its view borrows. Move-only.
class StoredSegment {
 public:
  explicit StoredSegment(std::unique_ptr<std::string> bytes, const SegmentView& view)
      : bytes_(std::move(bytes)), view_(view) {}
  const SegmentView& view() const { return view_; }

 private:
  std::unique_ptr<std::string> bytes_;
  SegmentView view_;
};

/// A segment as asked for. `generation` 0 takes any.
struct SegmentRequest {
  SegmentKey key;
  Generation generation = 0;
};

/// Documents by number, without `end`.
struct DocumentRange {
  DocumentNumber first = 0;
  DocumentNumber end = ~DocumentNumber{0};
};

struct ScanSummary {
  std::uint64_t rows = 0;    ///< Handed to the callback.
  std::uint64_t misses = 0;  ///< Left out: damaged, or another model's. Reported to on_problem.
};

struct EraseOptions {
  bool defer = false;  ///< Gone for every reader now; bytes leave with CompactErased.
  CallOptions call{};
};

struct EraseReceipt {
  std::uint64_t documents = 0;
  std::uint64_t segments = 0;
  std::uint64_t versions = 0;  ///< Old versions that went too.
  bool physical = false;
};

struct StoreStats {
  std::uint64_t disk_bytes = 0;      ///< Everything in the folder.
  std::uint64_t commits = 0;         ///< Head of the ledger.
  std::uint64_t pending_erases = 0;  ///< Deferred erasures whose bytes are still there.
  std::uint64_t router_bytes = 0;    ///< Estimate for the router records on disk.
};

/// A store. Every method may be called from any thread; writes run one after another, reads never
/// wait for them. Every method reads one consistent state. What a write returns ok for is durable
/// (fsynced) and visible. After a failed write to the log every later write says kUnavailable until
/// the store is opened again; reads go on. No method may be called from inside a scan's callback.
class Store {
 public:
  /// Opens or creates. Errors: kConflict (held by another process: the message has its pid; or made
  /// for another model), kCorruption (damage, or synced commits missing), kNotFound (none there and
  /// create is false), kNoSpace, kPermissionDenied. Finishes erasures that a crash interrupted.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // ---- spaces and models
  /// The id of space `name`, made durable if it is new.
  Result<SpaceId> EnsureSpace(const std::string& name);
  /// kNotFound when there is none.
  Result<SpaceId> FindSpace(std::string_view name) const;
  std::vector<SpaceInfo> Spaces() const;
  /// `count` numbers, returned as the first of them, that nobody else gets. They cost nothing if
  /// unused.
  Result<DocumentNumber> ReserveNumbers(SpaceId space, std::uint32_t count);
  /// No document of the space has a number from here on.
  Result<DocumentNumber> NumbersEnd(SpaceId space) const;
  /// Nothing until a model was named in Open or SetModel.
  std::optional<ModelIdentity> model() const;
  /// From now on only this model's segments are read. The first step of a re-encoding.
  Status SetModel(const ModelIdentity& model);

  // ---- writing
  /// All of `writes`, or nothing, in one synced atomic batch. Cost: two fsyncs, whatever the count.
  /// Errors: kInvalidArgument, kConflict (id exists, if_match, if_generation), kNotFound (nothing
  /// to edit), kNoSpace, kUnavailable (read-only).
  Result<CommitReceipt> Commit(std::vector<DocumentWrite> writes);

  /// The receipt of the write with this key; nothing if there was none, or if its memory is gone.
  /// kKeyReused if it was of another request.
  Result<std::optional<RememberReceipt>> FindOnce(SpaceId space, const OnceKey& once) const;
  /// Keeps `receipt` under a key whose request needed no write. A commit of its own. Errors as of
  /// Commit; kNotFound if the memory is gone.
  Status KeepOnce(SpaceId space, const OnceKey& once, const RememberReceipt& receipt);

  // ---- reading (expired documents count as absent)
  Result<Document> Get(SpaceId space, std::string_view id) const;
  Result<Document> GetByNumber(SpaceId space, DocumentNumber number) const;
  /// Batched; same order; absent ones are nothing. `with_text` false reads heads only.
  Result<std::vector<std::optional<Document>>> GetMany(SpaceId space,
                                                       std::span<const DocumentNumber> numbers,
                                                       bool with_text = true) const;
  /// All versions, oldest first, the present one last. Old ones have no segments.
  Result<std::vector<Document>> History(SpaceId space, std::string_view id) const;
  Result<ListResult> List(SpaceId space, const ListQuery& query) const;
  /// The numbers that `selection` lets through. Microseconds without a filter, one pass over the
  /// heads (no texts) with one.
  Result<DocumentSet> Select(SpaceId space, const Selection& selection) const;
  /// By name, ascending. One pass over the heads.
  Result<std::vector<SessionInfo>> Sessions(SpaceId space) const;
  /// The heads of a space (text, messages and segment tables empty), ascending. `visit` returns
  /// false to stop.
  Result<ScanSummary> ScanHeads(SpaceId space,
                                const std::function<bool(const Document&)>& visit) const;
  /// As ScanHeads with texts and segment tables.
  Result<ScanSummary> ScanDocuments(SpaceId space,
                                    const std::function<bool(const Document&)>& visit) const;

  // ---- segments
  /// KV records, one batched read; same order. A record that is absent, damaged, of another
  /// generation or model is kNotFound or kCorruption in its place, never an answer.
  std::vector<Result<StoredSegment>> ReadKv(std::span<const SegmentRequest> requests) const;
  std::vector<Result<StoredSegment>> ReadRouter(std::span<const SegmentRequest> requests) const;
  /// Streams the router records of the present model, all or those of `range`, in (document,
  /// segment) order. The view lives during the callback only; `visit` returns false to stop.
  Result<ScanSummary> ScanRouter(SpaceId space,
                                 const std::function<bool(const SegmentView&)>& visit,
                                 const DocumentRange& range = {}) const;

  // ---- lexical channel
  /// The `k` best documents by BM25 (lexical.h), among `allowed` if given. Sees one state of
  /// the store; `state`, if given, keeps it for ScoreMore.
  Result<std::vector<LexicalHit>> Search(SpaceId space, std::string_view query, std::size_t k,
                                         const DocumentSet* allowed = nullptr,
                                         LexicalState* state = nullptr) const;
  /// Documents whose title `text` names, ascending by number. From memory: about 0.2 us per byte
  /// of text; the first call in a space reads its heads.
  Result<std::vector<TitleMention>> TitlesIn(SpaceId space, std::string_view text) const;
  /// Documents whose title shares a name with the text of document `from` (titles.h).
  Result<std::vector<TitleMention>> TitlesSharing(SpaceId space, std::string_view names,
                                                  std::string_view question,
                                                  DocumentNumber from) const;
  /// The neighbours of each of `numbers`, in their order; none for one that is not there. From
  /// memory, as TitlesIn.
  Result<std::vector<Neighbours>> Beside(SpaceId space,
                                         std::span<const DocumentNumber> numbers) const;

  // ---- erasing
  /// Erases documents with all versions, segments, postings. Unknown numbers are skipped. Logical
  /// at once (one synced batch per 512 documents), physical before it returns unless `defer`.
  Result<EraseReceipt> Erase(SpaceId space, std::span<const DocumentNumber> numbers,
                             const EraseOptions& options = {});
  /// The space with its name. Its id and numbers are never given again.
  Result<EraseReceipt> EraseSpace(SpaceId space, const EraseOptions& options = {});
  Result<EraseReceipt> EraseAll(const EraseOptions& options = {});
  /// Erases every document whose expires_at has come.
  Result<EraseReceipt> PurgeExpired(const EraseOptions& options = {});
  /// Makes deferred erasures physical. `documents` counts erasures of PurgeExpired only.
  Result<EraseReceipt> CompactErased(const CallOptions& options = {});

  // ---- care
  /// Reads everything: checksums, ledger chain against rows, postings against forward lists,
  /// segment records against tables, counters against counts. ok() also when it found problems.
  Result<VerifyReport> Verify(const CallOptions& options = {}) const;
  /// A consistent copy into `folder` (earlier backups stay), read back and checked before it
  /// returns.
  Status Backup(const std::string& folder, const CallOptions& options = {}) const;
  /// Puts the newest backup in `folder` into `path`, which must not exist or be an empty folder.
  static Status Restore(const std::string& folder, const std::string& path);

  Result<StoreStats> GetStats() const;
  const std::string& path() const;
  bool read_only() const;

  class Impl;  ///< storage/store_impl.h; not for callers.

 private:
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_STORE_H_
