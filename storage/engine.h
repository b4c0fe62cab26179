// The one door to RocksDB: column families, synced atomic batches, consistent reads, physical
// erasure. No RocksDB name is seen outside engine.cc, engine_options.cc and backup.cc.
#ifndef STORAGE_ENGINE_H_
#define STORAGE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "storage/reader_gate.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Snapshot;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace kvasir::storage {

struct EngineHooks;

/// What lies in which column family. The order is that of opening; names are in engine_options.cc.
enum class Family : std::uint8_t {
  kMeta,      // Store, model, space rows, pending erasures.
  kIds,       // Keyed hash of an id to its number.
  kHeads,     // Present version of each document, without text.
  kHistory,   // Heads of older versions.
  kBodies,    // Text, messages, segment table of every version.
  kForward,   // Terms of the present version.
  kPostings,  // Term to segments.
  kRouter,    // Router records.
  kKv,        // KV records.
  kLedger,    // One row per commit.
};
inline constexpr std::size_t kFamilies = 10;

/// Half-open range of keys of one family; an empty end is the family's end.
struct KeyRange {
  Family family = Family::kMeta;
  std::string begin;
  std::string end;
};

/// Writes that become visible and durable together. Move-only.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  void Put(Family family, std::string_view key, std::string_view value);
  void Delete(Family family, std::string_view key);
  void DeleteRange(const KeyRange& range);
  std::uint32_t Count() const;

 private:
  friend class Engine;
  struct Op;
  std::vector<Op> ops_;
};

/// Walks one range in key order. Borrows its ReadView, which must outlive it.
class Cursor {
 public:
  ~Cursor();
  Cursor(Cursor&&) noexcept;
  bool Valid() const;
  void Next();
  void Seek(std::string_view key);
  std::string_view key() const;
  std::string_view value() const;
  /// Ask when Valid() turns false: the end, or an error?
  Status status() const;

 private:
  friend class ReadView;
  struct State;
  explicit Cursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One consistent state of the database. Short-lived: an erasure waits for it to go.
class ReadView {
 public:
  ~ReadView();
  ReadView(ReadView&& other) noexcept;
  ReadView& operator=(ReadView&&) = delete;

  /// False if there is no such row.
  Result<bool> Get(Family family, std::string_view key, std::string* value) const;
  /// One batched read, same order. kNotFound in place of an absent row. Each value is a heap buffer
  /// of its own, aligned to 16.
  std::vector<Result<std::unique_ptr<std::string>>> MultiGet(
      Family family, const std::vector<std::string>& keys) const;
  /// A cursor at the first key of `range`, for one long walk: reads ahead, leaves the cache alone.
  Cursor Scan(const KeyRange& range) const;
  /// The same for many short walks (Seek): reads blocks one by one, through the cache.
  Cursor Seeker(const KeyRange& range) const;
  /// The last key and value of a family; false if it is empty.
  Result<bool> Last(Family family, std::string* key, std::string* value) const;

 private:
  friend class Engine;
  ReadView(const class Engine* engine, ReaderGate::Pass pass, const rocksdb::Snapshot* snapshot);
  Cursor MakeCursor(const KeyRange& range, bool one_long_walk) const;
  const Engine* engine_;
  ReaderGate::Pass pass_;
  const rocksdb::Snapshot* snapshot_;
};

struct EngineOptions {
  bool create = false;
  bool read_only = false;
  std::uint64_t block_cache_bytes = 0;
  std::shared_ptr<EngineHooks> hooks;
};

/// An open database. Thread-safe.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Open(const std::string& path,
                                              const EngineOptions& options);
  ~Engine();

  /// Durable when it returns ok. A failure of any kind is final: see failed().
  Status Write(const Batch& batch);
  ReadView View() const;

  /// Nothing, or why no write can succeed until the store is opened again. Set by the first failed
  /// write, or by a background flush or compaction that failed.
  Status failed() const;
  void Fail(const Status& why);

  /// After logical deletions: makes the bytes of `ranges` leave every file of the folder. Waits for
  /// readers that began before. `commit_done` must write something: a MANIFEST begins with the
  /// state before the change that started it, so one more change has to follow the compactions.
  /// Cost: rewrites the table files that overlap the ranges.
  Status ErasePhysically(const std::vector<KeyRange>& ranges,
                         const std::function<Status()>& commit_done);

  std::uint64_t ApproximateBytes(const KeyRange& range) const;
  /// Reads every block of every table file against its checksums.
  Status VerifyChecksums() const;
  rocksdb::DB* db() const { return db_.get(); }
  const std::string& path() const { return path_; }

 private:
  friend class ReadView;
  struct Failure;
  Engine();
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }
  Status FlushAll();
  Status CompactRanges(const std::vector<KeyRange>& ranges);
  Status AwaitDeletion(const std::vector<std::string>& files_before);

  std::string path_;
  bool read_only_ = false;
  std::shared_ptr<EngineHooks> hooks_;  // RocksDB borrows its environment.
  std::shared_ptr<Failure> failure_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  mutable ReaderGate gate_;
};

/// The one translation of RocksDB's errors.
Status FromRocks(const rocksdb::Status& status, std::string_view what);

}  // namespace kvasir::storage

#endif  // STORAGE_ENGINE_H_
