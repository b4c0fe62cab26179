#include "agent/router_index.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "agent/router_loader.h"

namespace kvasir::agent {
namespace {

std::string Mebibytes(std::uint64_t bytes) {
  const std::uint64_t tenths = (bytes * 10 + (1 << 20) - 1) >> 20;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

std::uint64_t Sum(const RouterIndex::Spaces& spaces) {
  std::uint64_t bytes = 0;
  for (const auto& [space, opening] : spaces) bytes += opening.index->Bytes();
  return bytes;
}

// Null when none holds its keys.
SpaceIndex* LargestWithKeys(const RouterIndex::Spaces& spaces) {
  SpaceIndex* largest = nullptr;
  for (const auto& [space, opening] : spaces) {
    SpaceIndex* const index = opening.index.get();
    if (!index->HoldsKeys() || index->Segments() == 0) continue;
    if (largest == nullptr || index->Bytes() > largest->Bytes()) largest = index;
  }
  return largest;
}

}  // namespace

RouterIndex::RouterIndex(const storage::Store& store, const model::RouterSpec& spec, int threads,
                         std::mutex& commits, const MemoryBudget& budget)
    : store_(store),
      spec_(spec),
      threads_(threads),
      commits_(commits),
      budget_(budget),
      keys_(budget.limited() ? std::make_unique<RouterKeys>(store, spec) : nullptr) {}

Result<std::shared_ptr<SpaceIndex>> RouterIndex::MakeIndex(storage::SpaceId space) const {
  auto keys = keys_ ? std::make_unique<SpaceKeys>(keys_.get(), space) : nullptr;
  KVASIR_ASSIGN_OR_RETURN(std::shared_ptr<SpaceIndex> index,
                          SpaceIndex::Make(spec_, threads_, std::move(keys)));
  return index;
}

Result<std::shared_ptr<SpaceIndex>> RouterIndex::Open(storage::SpaceId space) {
  if (auto loaded = Asked(space)) return loaded;
  // With writers held up, what the scan does not see cannot be missed.
  const std::lock_guard commits(commits_);
  if (auto loaded = Asked(space)) return loaded;
  KVASIR_ASSIGN_OR_RETURN(std::shared_ptr<SpaceIndex> index, MakeIndex(space));
  KVASIR_RETURN_IF_ERROR(Load(space, index, {}));
  const std::lock_guard lock(mutex_);
  spaces_[space] = {index, true, ++asked_};
  Sketch(space, index);
  return index;
}

// Nobody waits for sketches, so nobody hears of it when there is no memory for them.
void RouterIndex::Sketch(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index) {
  if (!index->WantsSketches()) return;
  const auto make = [index](const std::stop_token& stop) { (void)index->MakeSketches(stop); };
  try {
    sketching_[space] = std::jthread(make);
  } catch (const std::system_error&) {
    make({});
  }
}

Status RouterIndex::Load(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index,
                         const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    const auto refused = refused_.find(space);
    if (refused != refused_.end()) return refused->second;
  }
  KVASIR_RETURN_IF_ERROR(
      LoadRouters({store_, space, stop}, threads_, index.get(), [&] { return Fit(space, index); }));
  return budget_.limited() || !index->WantsSketches() ? index->MakeSketches(stop) : Status::Ok();
}

RouterIndex::Opening RouterIndex::OpenNow(storage::SpaceId space) {
  const std::lock_guard lock(mutex_);
  if (const auto found = spaces_.find(space); found != spaces_.end()) {
    found->second.asked = ++asked_;
    return found->second;
  }
  if (loading_ || refused_.contains(space)) return {};
  auto made = MakeIndex(space);
  if (!made.ok()) return {};
  Opening opening{*std::move(made), false, ++asked_};
  try {
    loader_ = std::jthread([this, space, index = opening.index](const std::stop_token& stop) {
      LoadBehind(space, index, stop);
    });
  } catch (const std::system_error&) {
    return {};  // No thread to be had: only Open loads.
  }
  loading_ = true;
  spaces_[space] = opening;
  return opening;
}

void RouterIndex::LoadBehind(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index,
                             const std::stop_token& stop) {
  const std::lock_guard commits(commits_);
  // Dropped, or loaded by Open, before the commit mutex was ours.
  const auto wanted = [&] {
    const auto found = spaces_.find(space);
    return found != spaces_.end() && found->second.index == index;
  };
  {
    const std::lock_guard lock(mutex_);
    if (!wanted()) {
      loading_ = false;
      return;
    }
  }
  const Status loaded = Load(space, index, stop);
  const std::lock_guard lock(mutex_);
  loading_ = false;
  if (!wanted()) return;
  if (loaded.ok()) {
    spaces_[space].complete = true;
    Sketch(space, index);
  } else {
    spaces_.erase(space);  // Open meets the same error and says it.
  }
}

std::shared_ptr<SpaceIndex> RouterIndex::Loaded(storage::SpaceId space) const {
  const std::lock_guard lock(mutex_);
  const auto found = spaces_.find(space);
  return found == spaces_.end() || !found->second.complete ? nullptr : found->second.index;
}

std::shared_ptr<SpaceIndex> RouterIndex::Asked(storage::SpaceId space) {
  const std::lock_guard lock(mutex_);
  const auto found = spaces_.find(space);
  if (found == spaces_.end() || !found->second.complete) return nullptr;
  found->second.asked = ++asked_;
  return found->second.index;
}

RouterIndex::Spaces RouterIndex::Held() const {
  const std::lock_guard lock(mutex_);
  return spaces_;
}

Status RouterIndex::Fit(storage::SpaceId space) {
  const auto index = Loaded(space);
  return index == nullptr ? Status::Ok() : Fit(space, index);
}

Status RouterIndex::Fit(storage::SpaceId space, const std::shared_ptr<SpaceIndex>& index) {
  if (!budget_.limited()) return Status::Ok();
  Spaces held = Held();
  held[space].index = index;
  while (true) {
    const std::uint64_t bytes = Sum(held);
    if (bytes <= budget_.routers()) {
      keys_->SetBudget(budget_.routers() - bytes);
      return Status::Ok();
    }
    keys_->SetBudget(0);
    if (SpaceIndex* largest = LargestWithKeys(held)) {
      KVASIR_RETURN_IF_ERROR(largest->GiveUpKeys());
      continue;
    }
    const auto idle = std::ranges::min_element(held, {}, [&](const auto& other) {
      return other.first == space ? ~std::uint64_t{0} : other.second.asked;
    });
    if (idle->first == space) break;
    Drop(idle->first);
    held.erase(idle);
  }
  Status refused = TooLarge(space, *index);
  const std::lock_guard lock(mutex_);
  refused_[space] = refused;
  return refused;
}

// While it is loaded, the whole is reckoned from what is there.
Status RouterIndex::TooLarge(storage::SpaceId space, const SpaceIndex& index) const {
  std::uint64_t segments = index.Segments();
  for (const SpaceInfo& info : store_.Spaces()) {
    const auto id = store_.FindSpace(info.name);
    if (id.ok() && *id == space) segments = std::max(segments, info.segments);
  }
  const double share = static_cast<double>(segments) /
                       static_cast<double>(std::max<std::uint64_t>(index.Segments(), 1));
  const auto need = static_cast<std::uint64_t>(static_cast<double>(index.Bytes()) * share);
  return Unavailable("routing this space needs " + Mebibytes(need) +
                     " of memory even without its keys, of " + Mebibytes(budget_.total) +
                     " it may have " + Mebibytes(budget_.routers()) + ": give at least " +
                     Mebibytes(budget_.TotalFor(need)) + " (--memory)");
}

void RouterIndex::DropKeys(storage::SpaceId space, storage::DocumentNumber document) {
  if (keys_ == nullptr) return;
  keys_->Drop(space, document);
  const std::lock_guard lock(mutex_);
  refused_.erase(space);
}

void RouterIndex::DropAllKeys() {
  if (keys_ == nullptr) return;
  keys_->DropAll();
  const std::lock_guard lock(mutex_);
  refused_.clear();
}

void RouterIndex::Drop(storage::SpaceId space) {
  if (keys_ != nullptr) keys_->DropSpace(space);
  const std::lock_guard lock(mutex_);
  spaces_.erase(space);
  sketching_.erase(space);
}

void RouterIndex::DropAll() {
  DropAllKeys();
  const std::lock_guard lock(mutex_);
  spaces_.clear();
  sketching_.clear();
}

std::uint64_t RouterIndex::Bytes() const { return Sum(Held()); }

compute::PageCacheStats RouterIndex::KeyCache() const {
  return keys_ != nullptr ? keys_->Stats() : compute::PageCacheStats();
}

}  // namespace kvasir::agent
