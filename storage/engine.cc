#include "storage/engine.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "storage/engine_options.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kProtectionBytes = 8;  // RocksDB's checksum per row on its way to the log.
constexpr std::size_t kScanReadahead = std::size_t{2} << 20;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    files.push_back(entry.path().filename().string());
  }
  return files;
}

// Table, log and manifest files carry rows or keys; CURRENT, IDENTITY, LOCK and OPTIONS do not.
bool CarriesRows(const std::string& file) {
  return file.ends_with(".sst") || file.ends_with(".log") || file.starts_with("MANIFEST");
}

}  // namespace

Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return Status::Ok();
  std::string message = std::string(what) + ": " + status.ToString();
  if (status.IsNoSpace()) return NoSpace(std::move(message));
  if (status.IsCorruption()) return Corruption(std::move(message));
  if (status.IsNotFound()) return NotFound(std::move(message));
  if (message.find("Permission denied") != std::string::npos) {
    return PermissionDenied(std::move(message));
  }
  if (message.find("lock") != std::string::npos) return Conflict(std::move(message));
  return Unavailable(std::move(message));
}

// ---- Batch

struct Batch::Op {
  enum class Kind : std::uint8_t { kPut, kDelete, kDeleteRange } kind;
  Family family;
  std::string key;
  std::string value;  // Of kDeleteRange: the end.
};

Batch::Batch() = default;
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

void Batch::Put(Family family, std::string_view key, std::string_view value) {
  ops_.push_back({Op::Kind::kPut, family, std::string(key), std::string(value)});
}
void Batch::Delete(Family family, std::string_view key) {
  ops_.push_back({Op::Kind::kDelete, family, std::string(key), {}});
}
void Batch::DeleteRange(const KeyRange& range) {
  ops_.push_back({Op::Kind::kDeleteRange, range.family, range.begin, range.end});
}
std::uint32_t Batch::Count() const { return static_cast<std::uint32_t>(ops_.size()); }

// ---- Cursor

struct Cursor::State {
  std::string lower;
  std::string upper;
  rocksdb::Slice lower_slice;
  rocksdb::Slice upper_slice;
  std::unique_ptr<rocksdb::Iterator> iterator;
};

Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;
bool Cursor::Valid() const { return state_->iterator->Valid(); }
void Cursor::Next() { state_->iterator->Next(); }
void Cursor::Seek(std::string_view key) { state_->iterator->Seek(ToSlice(key)); }
std::string_view Cursor::key() const { return ToView(state_->iterator->key()); }
std::string_view Cursor::value() const { return ToView(state_->iterator->value()); }
Status Cursor::status() const { return FromRocks(state_->iterator->status(), "reading the store"); }

// ---- ReadView

ReadView::ReadView(const Engine* engine, ReaderGate::Pass pass, const rocksdb::Snapshot* snapshot)
    : engine_(engine), pass_(std::move(pass)), snapshot_(snapshot) {}

ReadView::ReadView(ReadView&& other) noexcept
    : engine_(other.engine_), pass_(std::move(other.pass_)), snapshot_(other.snapshot_) {
  other.snapshot_ = nullptr;
}

ReadView::~ReadView() {
  if (snapshot_ != nullptr) engine_->db_->ReleaseSnapshot(snapshot_);
}

Result<bool> ReadView::Get(Family family, std::string_view key, std::string* value) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  const auto status = engine_->db_->Get(options, engine_->handle(family), ToSlice(key), value);
  if (status.IsNotFound()) return false;
  KVASIR_RETURN_IF_ERROR(FromRocks(status, "reading the store"));
  return true;
}

std::vector<Result<std::unique_ptr<std::string>>> ReadView::MultiGet(
    Family family, const std::vector<std::string>& keys) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  engine_->db_->MultiGet(options, engine_->handle(family), keys.size(), slices.data(),
                         values.data(), statuses.data());
  std::vector<Result<std::unique_ptr<std::string>>> results;
  results.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      results.emplace_back(std::make_unique<std::string>(values[i].data(), values[i].size()));
    } else {
      results.emplace_back(FromRocks(statuses[i], "reading the store"));
    }
  }
  return results;
}

Cursor ReadView::Scan(const KeyRange& range) const {
  Cursor cursor = MakeCursor(range, /*one_long_walk=*/true);
  cursor.Seek(range.begin);
  return cursor;
}

Cursor ReadView::Seeker(const KeyRange& range) const {
  return MakeCursor(range, /*one_long_walk=*/false);
}

Cursor ReadView::MakeCursor(const KeyRange& range, bool one_long_walk) const {
  auto state = std::make_unique<Cursor::State>();
  state->lower = range.begin;
  state->upper = range.end;
  state->lower_slice = state->lower;
  state->upper_slice = state->upper;
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.fill_cache = !one_long_walk;
  options.readahead_size = one_long_walk ? kScanReadahead : 0;
  options.iterate_lower_bound = &state->lower_slice;
  if (!state->upper.empty()) options.iterate_upper_bound = &state->upper_slice;
  state->iterator.reset(engine_->db_->NewIterator(options, engine_->handle(range.family)));
  return Cursor(std::move(state));
}

Result<bool> ReadView::Last(Family family, std::string* key, std::string* value) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      engine_->db_->NewIterator(options, engine_->handle(family)));
  iterator->SeekToLast();
  KVASIR_RETURN_IF_ERROR(FromRocks(iterator->status(), "reading the store"));
  if (!iterator->Valid()) return false;
  *key = iterator->key().ToString();
  *value = iterator->value().ToString();
  return true;
}

// ---- Engine

struct Engine::Failure {
  std::mutex mutex;
  Status why;

  void Set(const Status& status) {
    const std::scoped_lock lock(mutex);
    if (why.ok()) why = status;
  }
};

namespace {

// Flushes and compactions fail on RocksDB's own threads: the store must stop writing then too.
class FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(std::function<void(const Status&)> report)
      : report_(std::move(report)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* status) override {
    report_(FromRocks(*status, "the database failed in the background"));
  }

 private:
  std::function<void(const Status&)> report_;
};

}  // namespace

Engine::Engine() : failure_(std::make_shared<Failure>()) {}

Engine::~Engine() {
  if (db_ == nullptr) return;
  for (auto* handle : handles_) (void)db_->DestroyColumnFamilyHandle(handle);
  (void)db_->Close();
}

Result<std::unique_ptr<Engine>> Engine::Open(const std::string& path,
                                             const EngineOptions& options) {
  std::unique_ptr<Engine> engine(new Engine());
  engine->path_ = path;
  engine->read_only_ = options.read_only;
  engine->hooks_ = options.hooks;
  rocksdb::DBOptions db_options = DatabaseOptions(options);
  db_options.listeners.push_back(std::make_shared<FailureListener>(
      [failure = engine->failure_](const Status& why) { failure->Set(why); }));
  rocksdb::DB* db = nullptr;
  const auto families = FamilyDescriptors(options);
  const rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, path, families, &engine->handles_, &db)
          : rocksdb::DB::Open(db_options, path, families, &engine->handles_, &db);
  KVASIR_RETURN_IF_ERROR(FromRocks(status, "opening the database in " + path));
  engine->db_.reset(db);
  return engine;
}

Status Engine::failed() const {
  const std::scoped_lock lock(failure_->mutex);
  return failure_->why;
}

void Engine::Fail(const Status& why) { failure_->Set(why); }

Status Engine::Write(const Batch& batch) {
  if (Status failed_before = failed(); !failed_before.ok()) return failed_before;
  rocksdb::WriteBatch rocks(0, 0, kProtectionBytes, 0);
  rocksdb::Status status;
  for (const Batch::Op& op : batch.ops_) {
    auto* family = handle(op.family);
    switch (op.kind) {
      case Batch::Op::Kind::kPut:
        status = rocks.Put(family, op.key, op.value);
        break;
      case Batch::Op::Kind::kDelete:
        status = rocks.Delete(family, op.key);
        break;
      case Batch::Op::Kind::kDeleteRange:
        status = rocks.DeleteRange(family, op.key, op.value);
        break;
    }
    if (!status.ok()) return FromRocks(status, "building a batch");
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  options.protection_bytes_per_key = kProtectionBytes;
  Status written = FromRocks(db_->Write(options, &rocks), "writing to the log");
  if (!written.ok()) Fail(written);
  return written;
}

ReadView Engine::View() const {
  // The pass comes first: an erasure that starts in between then waits for this snapshot.
  ReaderGate::Pass pass = gate_.Enter();
  return {this, std::move(pass), read_only_ ? nullptr : db_->GetSnapshot()};
}

Status Engine::FlushAll() {
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = true;
  return FromRocks(db_->Flush(options, handles_), "flushing the database");
}

Status Engine::CompactRanges(const std::vector<KeyRange>& ranges) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.allow_write_stall = true;
  for (const KeyRange& range : ranges) {
    const rocksdb::Slice begin(range.begin);
    const rocksdb::Slice end(range.end);
    const auto status = db_->CompactRange(options, handle(range.family), &begin,
                                          range.end.empty() ? nullptr : &end);
    KVASIR_RETURN_IF_ERROR(FromRocks(status, "compacting after an erasure"));
  }
  return Status::Ok();
}

Status Engine::AwaitDeletion(const std::vector<std::string>& files_before) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    KVASIR_RETURN_IF_ERROR(
        FromRocks(db_->EnableFileDeletions(/*force=*/true), "deleting old files"));
    std::vector<std::string> live;
    std::uint64_t manifest_bytes = 0;
    KVASIR_RETURN_IF_ERROR(
        FromRocks(db_->GetLiveFiles(live, &manifest_bytes, /*flush=*/false), "listing live files"));
    std::set<std::string> keep;
    for (const std::string& name : live) keep.insert(name.substr(1));  // They begin with a slash.
    const std::vector<std::string> now = FilesIn(path_);
    const auto stale = [&](const std::string& name) {
      if (!CarriesRows(name) || keep.contains(name)) return false;
      if (std::find(now.begin(), now.end(), name) == now.end()) return false;
      std::error_code error;
      return std::filesystem::file_size(path_ + "/" + name, error) > 0 && !error;
    };
    const auto left = std::find_if(files_before.begin(), files_before.end(), stale);
    if (left == files_before.end()) return Status::Ok();
    if (std::chrono::steady_clock::now() > deadline) {
      return Unavailable("erasure: old file " + *left + " is still held; run compact later");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Status Engine::ErasePhysically(const std::vector<KeyRange>& ranges,
                               const std::function<Status()>& commit_done) {
  KVASIR_RETURN_IF_ERROR(FlushAll());
  gate_.WaitForReaders();  // A snapshot from before the deletion would keep the rows alive…
  KVASIR_RETURN_IF_ERROR(CompactRanges(ranges));
  gate_.WaitForReaders();  // …and an iterator from before the compaction the old files.
  const std::vector<std::string> files_before = FilesIn(path_);
  KVASIR_RETURN_IF_ERROR(commit_done());
  KVASIR_RETURN_IF_ERROR(FlushAll());
  return AwaitDeletion(files_before);
}

std::uint64_t Engine::ApproximateBytes(const KeyRange& range) const {
  const rocksdb::Range rocks(range.begin, range.end);
  std::uint64_t bytes = 0;
  const auto status =
      db_->GetApproximateSizes(handle(range.family), &rocks, 1, &bytes,
                               rocksdb::DB::SizeApproximationFlags::INCLUDE_FILES |
                                   rocksdb::DB::SizeApproximationFlags::INCLUDE_MEMTABLES);
  return status.ok() ? bytes : 0;
}

Status Engine::VerifyChecksums() const {
  return FromRocks(db_->VerifyChecksum(rocksdb::ReadOptions()), "checking the table files");
}

}  // namespace kvasir::storage
