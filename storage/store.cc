#include "storage/store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "storage/coding.h"
#include "storage/files.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kMaxIdentityBytes = 4096;
constexpr std::size_t kMaxModelNameBytes = 512;
// A writer replaces files a few times while it opens; each attempt takes milliseconds.
constexpr int kReadOnlyAttempts = 50;

std::string EncodeModel(const ModelIdentity& model) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(std::uint8_t{1});
  out.Fixed(model.fingerprint);
  out.Bytes(model.name);
  SealRow(&bytes, kModelRowKey);
  return bytes;
}

Result<ModelIdentity> DecodeModel(std::string_view bytes) {
  std::string_view payload;
  if (!OpenRow(bytes, kModelRowKey, &payload)) return Corruption("model row: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != 1) return Corruption("model row: unknown format");
  ModelIdentity model;
  model.fingerprint = in.Fixed<ModelFingerprint>();
  model.name = std::string(in.Bytes(kMaxModelNameBytes));
  if (!in.AtEnd()) return Corruption("model row: bad length");
  return model;
}

// True if nothing that a commit could have made is there: a creation that a crash cut short.
bool IsUnfinishedCreation(const std::string& path) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    std::string name(1, '/');
    name += entry.path().filename().string();
    if (name.ends_with(".new")) name.resize(name.size() - 4);
    const bool ours = name == kLockFile || name == kHighWaterFile || name == kDatabaseFolder ||
                      name == kIdentityFile;
    if (!ours) return false;
  }
  if (!FileExists(path + kHighWaterFile)) return !FileExists(path + kDatabaseFolder);
  const auto mark = HighWaterFile::Read(path + kHighWaterFile);
  return mark.ok() && mark->sequence == 0;
}

std::set<std::string> NamesIn(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

}  // namespace

Store::Impl::Impl(std::string path_in, StoreOptions options_in)
    : path(std::move(path_in)),
      options(std::move(options_in)),
      clock(options.clock != nullptr ? *options.clock : Clock::System()),
      random(options.random != nullptr ? *options.random : RandomSource::System()),
      posting_cache(options.posting_cache_bytes) {}

Status Store::Impl::Open() {
  if (!options.read_only) return OpenOnce();
  // A reader takes no lock, so a writer that opens or flushes may replace files under its hands:
  // what failed while they changed is tried again, what failed on files at rest is so.
  for (int attempt = 1;; ++attempt) {
    const std::set<std::string> before = NamesIn(path + kDatabaseFolder);
    Status opened = OpenOnce();
    if (opened.ok() || attempt == kReadOnlyAttempts) return opened;
    if (NamesIn(path + kDatabaseFolder) == before) return opened;
    engine.reset();
    row = {};
    spaces.clear();
    names.clear();
    model.reset();
  }
}

Status Store::Impl::OpenOnce() {
  KVASIR_RETURN_IF_ERROR(OpenFolder());
  // The mark is read before the database: a reader beside a writer must not see a newer mark.
  Result<HighWaterMark> mark = HighWaterFile::Read(path + kHighWaterFile);
  if (!mark.ok() && !options.accept_loss) {
    return Corruption("the high-water mark cannot be read (" + mark.status().message() +
                      "): restore a backup, or open with accept_loss");
  }
  if (!mark.ok() && !options.read_only) {
    KVASIR_RETURN_IF_ERROR(HighWaterFile::Create(path + kHighWaterFile));
  }
  if (!options.read_only) {
    KVASIR_ASSIGN_OR_RETURN(high_water, HighWaterFile::Open(path + kHighWaterFile));
  }
  KVASIR_RETURN_IF_ERROR(OpenDatabase(/*create=*/false));
  {
    const ReadView view = engine->View();
    KVASIR_RETURN_IF_ERROR(LoadState(view));
    KVASIR_RETURN_IF_ERROR(CheckLedger(view, mark.ok() ? *mark : HighWaterMark{}));
  }
  KVASIR_RETURN_IF_ERROR(CheckModel());
  return options.read_only ? Status::Ok() : FinishErasures(/*deferred_too=*/false);
}

Status Store::Impl::OpenFolder() {
  if (!FileExists(path + kIdentityFile)) {
    if (!options.create || options.read_only) return NotFound("there is no store in " + path);
    return CreateFolder();
  }
  if (!options.read_only) {
    KVASIR_ASSIGN_OR_RETURN(lock, LockFile::Acquire(path + kLockFile));
  }
  KVASIR_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadSmallFile(path + kIdentityFile, kMaxIdentityBytes));
  KVASIR_ASSIGN_OR_RETURN(identity, StoreIdentity::Decode(bytes));
  return Status::Ok();
}

// The identity file comes last: a folder without it has no commits and is made anew.
Status Store::Impl::CreateFolder() {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    errno = error.value();
    return FromErrno("creating", path);
  }
  if (::chmod(path.c_str(), 0700) != 0) return FromErrno("protecting", path);
  if (!IsUnfinishedCreation(path)) {
    return InvalidArgument(path + " holds other files and is not a kvasir store");
  }
  KVASIR_ASSIGN_OR_RETURN(lock, LockFile::Acquire(path + kLockFile));
  KVASIR_ASSIGN_OR_RETURN(identity, StoreIdentity::Make(&random));
  KVASIR_RETURN_IF_ERROR(HighWaterFile::Create(path + kHighWaterFile));
  KVASIR_RETURN_IF_ERROR(OpenDatabase(/*create=*/true));
  engine.reset();
  return WriteFileAtomically(path + kIdentityFile, identity.Encode());
}

Status Store::Impl::OpenDatabase(bool create) {
  KVASIR_ASSIGN_OR_RETURN(
      engine, Engine::Open(path + kDatabaseFolder, {.create = create,
                                                    .read_only = options.read_only,
                                                    .block_cache_bytes = options.block_cache_bytes,
                                                    .hooks = options.hooks}));
  return Status::Ok();
}

Status Store::Impl::LoadState(const ReadView& view) {
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool has_row, view.Get(Family::kMeta, kStoreRowKey, &bytes));
  if (has_row) {
    KVASIR_ASSIGN_OR_RETURN(row, DecodeStoreRow(bytes));
  }
  KVASIR_ASSIGN_OR_RETURN(const bool has_model, view.Get(Family::kMeta, kModelRowKey, &bytes));
  if (has_model) {
    KVASIR_ASSIGN_OR_RETURN(model, DecodeModel(bytes));
  }
  Cursor cursor = view.Scan({Family::kMeta, "S", "T"});
  for (; cursor.Valid(); cursor.Next()) {
    const std::string_view key = cursor.key();
    if (key.size() != 5) return Corruption("space row: bad key");
    KVASIR_ASSIGN_OR_RETURN(SpaceRow space, DecodeSpaceRow(cursor.value(), key));
    const auto id = static_cast<SpaceId>(BigEndian32(key.substr(1)));
    names[space.name] = id;
    spaces[id] = std::move(space);
  }
  return cursor.status();
}

Status Store::Impl::CheckLedger(const ReadView& view, const HighWaterMark& mark) {
  std::string key;
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool any, view.Last(Family::kLedger, &key, &bytes));
  LedgerEntry last;
  if (any) {
    KVASIR_ASSIGN_OR_RETURN(last, DecodeLedgerEntry(bytes));
  }
  if (last.sequence != row.sequence || last.chain != row.chain) {
    return Corruption("the ledger ends at commit " + std::to_string(last.sequence) +
                      " but the store row says " + std::to_string(row.sequence));
  }
  bool same_history = row.sequence >= mark.sequence;
  if (same_history && mark.sequence > 0) {
    KVASIR_ASSIGN_OR_RETURN(const bool found,
                            view.Get(Family::kLedger, LedgerKey(mark.sequence), &bytes));
    const auto entry = found ? DecodeLedgerEntry(bytes) : Result<LedgerEntry>(NotFound("entry"));
    same_history = entry.ok() && entry->chain == mark.chain;
  }
  if (same_history) {
    // A crash came between the log and the mark: what readers now see must not be lost later.
    const bool behind = row.sequence > mark.sequence && !options.read_only;
    CommitPlan nothing;
    nothing.row = row;
    return behind ? high_water.Advance(NextMark(nothing)) : Status::Ok();
  }
  if (!options.accept_loss) {
    return Corruption("synced commits are missing: the ledger ends at commit " +
                      std::to_string(row.sequence) + ", the high-water mark is at " +
                      std::to_string(mark.sequence) +
                      "; restore a backup, or open with accept_loss");
  }
  return options.read_only ? Status::Ok() : RaiseFloors(mark);
}

Status Store::Impl::RaiseFloors(const HighWaterMark& mark) {
  HighWaterMark lowered = mark;
  lowered.sequence = row.sequence;
  lowered.chain = row.chain;
  KVASIR_RETURN_IF_ERROR(high_water.Reset(lowered));
  CommitPlan plan = StartPlan(LedgerKind::kSpace);
  plan.row.next_generation = std::max(plan.row.next_generation, mark.next_generation);
  plan.row.next_space = std::max(plan.row.next_space, mark.next_space);
  for (const auto& [space, space_row] : spaces) {
    SpaceRow* raised = PlanSpace(space, &plan);
    raised->next_number = std::max(raised->next_number, mark.next_document);
  }
  return Apply(std::move(plan));
}

Status Store::Impl::CheckModel() {
  if (!options.model) return Status::Ok();
  if (!model) return options.read_only ? Status::Ok() : SetModel(*options.model);
  if (model->fingerprint == options.model->fingerprint) return Status::Ok();
  return Conflict("the store " + path + " needs the model " + model->name + ", not " +
                  options.model->name + ": open it with that model, or re-encode");
}

Status Store::Impl::CheckWritable(bool needs_space) const {
  if (options.read_only) return PermissionDenied("the store was opened read-only");
  if (const Status failed = engine->failed(); !failed.ok()) {
    return Unavailable("the store is read-only until it is opened again, after: " +
                       failed.message());
  }
  if (!needs_space) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(const std::uint64_t free, FreeBytes(path));
  if (free >= options.low_water_bytes) return Status::Ok();
  return NoSpace("only " + std::to_string(free) + " bytes are free at " + path +
                 "; the low-water mark is " + std::to_string(options.low_water_bytes));
}

Result<SpaceId> Store::Impl::FindSpace(std::string_view name) const {
  const std::shared_lock lock_state(state_mutex);
  const auto found = names.find(name);
  if (found == names.end()) return NotFound("there is no space \"" + std::string(name) + "\"");
  return found->second;
}

Result<std::string> Store::Impl::SpaceName(SpaceId space) const {
  const std::shared_lock lock_state(state_mutex);
  const auto found = spaces.find(space);
  if (found == spaces.end()) return NotFound("there is no such space");
  return found->second.name;
}

Result<SpaceId> Store::Impl::EnsureSpace(const std::string& name) {
  if (auto found = FindSpace(name); found.ok()) return found;
  if (name.empty() || name.size() > kMaxIdBytes || !IsCleanUtf8(name)) {
    return InvalidArgument("a space's name has 1 to 512 bytes of UTF-8 without zero bytes");
  }
  const std::scoped_lock turn(write_mutex);
  if (auto found = FindSpace(name); found.ok()) return found;
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/true));
  CommitPlan plan = StartPlan(LedgerKind::kSpace);
  const auto space = static_cast<SpaceId>(plan.row.next_space++);
  plan.spaces[space].name = name;
  KVASIR_RETURN_IF_ERROR(Apply(std::move(plan)));
  return space;
}

Result<DocumentNumber> Store::Impl::ReserveNumbers(SpaceId space, std::uint32_t count) {
  if (options.read_only) return PermissionDenied("the store was opened read-only");
  const std::scoped_lock turn(reserve_mutex);
  Reserved& numbers = reserved[space];
  {
    const std::shared_lock lock_state(state_mutex);
    const auto found = spaces.find(space);
    if (found == spaces.end()) return NotFound("there is no such space");
    numbers.next = std::max(numbers.next, found->second.next_number);
  }
  const DocumentNumber first = numbers.next;
  if (count > kMaxDocuments - first) return Unavailable("the space has no more document numbers");
  for (std::uint32_t i = 0; i < count; ++i) numbers.open.insert(numbers.next++);
  return first;
}

Status Store::Impl::SetModel(const ModelIdentity& new_model) {
  if (new_model.name.size() > kMaxModelNameBytes || !IsCleanUtf8(new_model.name)) {
    return InvalidArgument("a model's name has at most 512 bytes of UTF-8");
  }
  const std::scoped_lock turn(write_mutex);
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/true));
  CommitPlan plan = StartPlan(LedgerKind::kModel);
  plan.batch.Put(Family::kMeta, kModelRowKey, EncodeModel(new_model));
  plan.model = new_model;
  return Apply(std::move(plan));
}

Result<StoreStats> Store::Impl::GetStats() const {
  StoreStats stats;
  stats.disk_bytes = FolderBytes(path);
  stats.router_bytes = engine->ApproximateBytes(
      {Family::kRouter, SpacePrefix(SpaceId{0}), std::string(kSegmentRowKeyBytes, '\xFF')});
  const ReadView view = engine->View();
  Cursor cursor = view.Scan({Family::kMeta, "P", "Q"});
  for (; cursor.Valid(); cursor.Next()) ++stats.pending_erases;
  KVASIR_RETURN_IF_ERROR(cursor.status());
  const std::shared_lock lock_state(state_mutex);
  stats.commits = row.sequence;
  return stats;
}

// ---- Store: a thin shell

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, const StoreOptions& options) {
  if (path.empty()) return InvalidArgument("the store's path is empty");
  std::string clean = path;
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  auto impl = std::make_unique<Impl>(std::move(clean), options);
  KVASIR_RETURN_IF_ERROR(impl->Open());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<SpaceId> Store::EnsureSpace(const std::string& name) { return impl_->EnsureSpace(name); }
Result<SpaceId> Store::FindSpace(std::string_view name) const { return impl_->FindSpace(name); }

std::vector<SpaceInfo> Store::Spaces() const {
  const std::shared_lock lock(impl_->state_mutex);
  std::vector<SpaceInfo> infos;
  infos.reserve(impl_->names.size());
  for (const auto& [name, id] : impl_->names) {
    const SpaceRow& row = impl_->spaces.at(id);
    infos.push_back(
        {.name = name, .memories = row.documents, .segments = row.segments, .tokens = row.tokens});
  }
  return infos;
}

Result<DocumentNumber> Store::ReserveNumbers(SpaceId space, std::uint32_t count) {
  return impl_->ReserveNumbers(space, count);
}

Result<DocumentNumber> Store::NumbersEnd(SpaceId space) const {
  const std::shared_lock lock(impl_->state_mutex);
  const auto found = impl_->spaces.find(space);
  if (found == impl_->spaces.end()) return NotFound("there is no such space");
  return found->second.next_number;
}

std::optional<ModelIdentity> Store::model() const {
  const std::shared_lock lock(impl_->state_mutex);
  return impl_->model;
}

Status Store::SetModel(const ModelIdentity& model) { return impl_->SetModel(model); }

Result<std::optional<RememberReceipt>> Store::FindOnce(SpaceId space, const OnceKey& once) const {
  return impl_->FindOnce(space, once);
}
Status Store::KeepOnce(SpaceId space, const OnceKey& once, const RememberReceipt& receipt) {
  return impl_->KeepOnce(space, once, receipt);
}
Result<CommitReceipt> Store::Commit(std::vector<DocumentWrite> writes) {
  return impl_->Commit(std::move(writes));
}

Result<Document> Store::Get(SpaceId space, std::string_view id) const {
  return impl_->Get(space, id);
}
Result<Document> Store::GetByNumber(SpaceId space, DocumentNumber number) const {
  return impl_->GetByNumber(space, number);
}
Result<std::vector<std::optional<Document>>> Store::GetMany(SpaceId space,
                                                            std::span<const DocumentNumber> numbers,
                                                            bool with_text) const {
  return impl_->GetMany(space, numbers, with_text);
}
Result<std::vector<Document>> Store::History(SpaceId space, std::string_view id) const {
  return impl_->History(space, id);
}
Result<ListResult> Store::List(SpaceId space, const ListQuery& query) const {
  return impl_->List(space, query);
}
Result<DocumentSet> Store::Select(SpaceId space, const Selection& selection) const {
  return impl_->Select(space, selection);
}
Result<std::vector<SessionInfo>> Store::Sessions(SpaceId space) const {
  return impl_->Sessions(space);
}

Result<ScanSummary> Store::ScanHeads(SpaceId space,
                                     const std::function<bool(const Document&)>& visit) const {
  return impl_->ScanHeads(impl_->engine->View(), space, 0,
                          [&](Document& document) { return visit(document); });
}

Result<ScanSummary> Store::ScanDocuments(SpaceId space,
                                         const std::function<bool(const Document&)>& visit) const {
  const ReadView view = impl_->engine->View();
  std::uint64_t misses = 0;
  auto summary = impl_->ScanHeads(view, space, 0, [&](Document& document) {
    if (!impl_->LoadBody(view, &document).ok()) {
      ++misses;
      return true;
    }
    return visit(document);
  });
  if (!summary.ok()) return summary;
  summary->rows -= misses;
  summary->misses += misses;
  return summary;
}

std::vector<Result<StoredSegment>> Store::ReadKv(std::span<const SegmentRequest> requests) const {
  return impl_->ReadSegments(SegmentKind::kKv, requests);
}
std::vector<Result<StoredSegment>> Store::ReadRouter(
    std::span<const SegmentRequest> requests) const {
  return impl_->ReadSegments(SegmentKind::kRouter, requests);
}
Result<ScanSummary> Store::ScanRouter(SpaceId space,
                                      const std::function<bool(const SegmentView&)>& visit,
                                      const DocumentRange& range) const {
  return impl_->ScanRouter(space, visit, range);
}
Result<std::vector<LexicalHit>> Store::Search(SpaceId space, std::string_view query, std::size_t k,
                                              const DocumentSet* allowed,
                                              LexicalState* state) const {
  return impl_->Search(space, query, k, allowed, state);
}

Result<std::vector<TitleMention>> Store::TitlesIn(SpaceId space, std::string_view text) const {
  return impl_->TitlesIn(space, text);
}
Result<std::vector<TitleMention>> Store::TitlesSharing(SpaceId space, std::string_view names,
                                                       std::string_view question,
                                                       DocumentNumber from) const {
  return impl_->TitlesSharing(space, names, question, from);
}

Result<std::vector<Neighbours>> Store::Beside(SpaceId space,
                                              std::span<const DocumentNumber> numbers) const {
  return impl_->Beside(space, numbers);
}

Result<EraseReceipt> Store::Erase(SpaceId space, std::span<const DocumentNumber> numbers,
                                  const EraseOptions& options) {
  return impl_->Erase(space, numbers, options);
}
Result<EraseReceipt> Store::EraseSpace(SpaceId space, const EraseOptions& options) {
  return impl_->EraseSpaces({space}, options);
}
Result<EraseReceipt> Store::EraseAll(const EraseOptions& options) {
  std::vector<SpaceId> all;
  {
    const std::shared_lock lock(impl_->state_mutex);
    all.reserve(impl_->spaces.size());
    for (const auto& [space, row] : impl_->spaces) all.push_back(space);
  }
  return impl_->EraseSpaces(all, options);
}
Result<EraseReceipt> Store::PurgeExpired(const EraseOptions& options) {
  return impl_->PurgeExpired(options);
}
Result<EraseReceipt> Store::CompactErased(const CallOptions& options) {
  return impl_->CompactErased(options);
}

Result<VerifyReport> Store::Verify(const CallOptions& options) const {
  return impl_->Verify(options);
}
Status Store::Backup(const std::string& folder, const CallOptions& options) const {
  return impl_->Backup(folder, options);
}
Result<StoreStats> Store::GetStats() const { return impl_->GetStats(); }
const std::string& Store::path() const { return impl_->path; }
bool Store::read_only() const { return impl_->options.read_only; }

}  // namespace kvasir::storage
