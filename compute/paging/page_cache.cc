#include "compute/paging/page_cache.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "compute/paging/page_policy.h"

namespace kvasir::compute {
namespace {

// Of one read: what waits behind it waits no longer than so many pages take.
constexpr std::size_t kDemandBatch = 64;
constexpr std::size_t kHintBatch = 16;
// What was prefetched and not asked for yet may take this part of the budget: a wrong guess cannot
// push out much.
constexpr std::size_t kHintShare = 8;

Status Forgotten() { return NotFound("the page was dropped"); }

}  // namespace

/// A page, or the place of one that is to come. `use.bytes` is what it takes of the budget: the
/// most that a page may have until it is there. `use.pins` counts who holds it and, while it is
/// read, the reader.
struct PageCache::Entry {
  enum class Stage : std::uint8_t { kQueued, kReading, kReady, kFailed };

  PageUse use;
  std::uint64_t generation = 0;
  Stage stage = Stage::kQueued;
  std::uint32_t holders = 0;
  bool listed = true;    // In the table: a request can find it.
  bool guessed = false;  // Prefetched and not asked for yet.
  std::unique_ptr<const Page> page;
  Status failure;
};

class PageCache::State {
 public:
  State(PageSource* source, std::size_t budget)
      : source_(source),
        most_bytes_(std::max<std::size_t>(source->MostBytes(), 1)),
        budget_(budget),
        policy_(budget, most_bytes_) {}

  std::vector<Result<Pin>> Fetch(std::span<const PageRequest> requests);
  Status Await(const Entry& entry, const std::stop_token& stop);
  void Release(Entry* entry);
  void Prefetch(std::span<const PageRequest> requests);
  void Drop(const PageKey& first, const PageKey& last);
  void SetBudget(std::size_t bytes);
  PageCacheStats Stats();

 private:
  using EntryPtr = std::shared_ptr<Entry>;
  using Stage = Entry::Stage;

  // Everything below is called with mutex_ held.
  Result<Pin> Ask(const PageRequest& request);
  EntryPtr FindOrRetire(const PageRequest& request, bool* newer);
  Result<EntryPtr> Begin(const PageRequest& request, std::deque<EntryPtr>* queue);
  void Hit(const EntryPtr& entry);
  Pin Hold(const EntryPtr& entry);
  void AddPin(Entry* entry);
  void RemovePin(Entry* entry);
  void SetBytes(Entry* entry, std::size_t bytes);
  bool MakeRoom(std::size_t bytes);
  bool Shrink(std::size_t bytes);
  void Unlist(Entry* entry, const Status& why);
  void Proved(Entry* entry);
  std::vector<EntryPtr> TakeBatch();
  void Arrive(Entry* entry, PageResult page);
  void Run(const std::stop_token& stop);

  PageSource* const source_;
  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable_any work_;
  std::condition_variable_any done_;
  std::size_t budget_;
  PagePolicy policy_;
  std::map<PageKey, EntryPtr> entries_;
  std::deque<EntryPtr> demanded_;
  std::deque<EntryPtr> hinted_;
  std::size_t used_ = 0;
  std::size_t fixed_ = 0;    // Of used_: pinned or being read.
  std::size_t guessed_ = 0;  // Of used_: prefetched and not asked for yet.
  PageCacheStats counts_;
  std::jthread reader_;  // Last: it ends before what it uses.
};

std::vector<Result<PageCache::Pin>> PageCache::State::Fetch(std::span<const PageRequest> requests) {
  std::vector<Result<Pin>> pins;
  pins.reserve(requests.size());
  const std::lock_guard lock(mutex_);
  for (const PageRequest& request : requests) pins.push_back(Ask(request));
  return pins;
}

Result<PageCache::Pin> PageCache::State::Ask(const PageRequest& request) {
  policy_.Count(request.key);
  bool newer = false;
  EntryPtr entry = FindOrRetire(request, &newer);
  if (newer) return NotFound("the page is of a newer generation");
  if (entry) {
    Hit(entry);
    return Hold(entry);
  }
  ++counts_.misses;
  KVASIR_ASSIGN_OR_RETURN(entry, Begin(request, &demanded_));
  return Hold(entry);
}

// The entry in that generation. An older one leaves: its document was edited.
PageCache::State::EntryPtr PageCache::State::FindOrRetire(const PageRequest& request, bool* newer) {
  const auto found = entries_.find(request.key);
  if (found == entries_.end()) return nullptr;
  EntryPtr entry = found->second;
  if (entry->generation == request.generation) return entry;
  *newer = entry->generation > request.generation;
  if (!*newer) Unlist(entry.get(), NotFound("the page was replaced by a newer generation"));
  return nullptr;
}

Result<PageCache::State::EntryPtr> PageCache::State::Begin(const PageRequest& request,
                                                           std::deque<EntryPtr>* queue) {
  if (!MakeRoom(most_bytes_)) {
    ++counts_.refused;
    return Unavailable("the paging cache has " + std::to_string(budget_) + " bytes, of which " +
                       std::to_string(fixed_) + " are in use: give it more memory");
  }
  auto entry = std::make_shared<Entry>();
  entry->use.key = request.key;
  entry->generation = request.generation;
  SetBytes(entry.get(), most_bytes_);
  policy_.Insert(&entry->use);
  entries_.emplace(request.key, entry);
  queue->push_back(entry);
  if (!reader_.joinable()) {
    reader_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  work_.notify_one();
  return entry;
}

void PageCache::State::Hit(const EntryPtr& entry) {
  ++counts_.hits;
  policy_.Touch(&entry->use);
  if (!entry->guessed) return;
  Proved(entry.get());
  if (entry->stage == Stage::kQueued) {  // Nothing was won: it is read now.
    std::erase(hinted_, entry);
    demanded_.push_back(entry);
    work_.notify_one();
    return;
  }
  if (entry->stage == Stage::kReading) ++counts_.prefetches;
  ++counts_.prefetches_used;
}

// What was a guess counts as one no longer.
void PageCache::State::Proved(Entry* entry) {
  if (entry->guessed) guessed_ -= entry->use.bytes;
  entry->guessed = false;
}

PageCache::Pin PageCache::State::Hold(const EntryPtr& entry) {
  ++entry->holders;
  AddPin(entry.get());
  return Pin(this, entry);
}

void PageCache::State::AddPin(Entry* entry) {
  if (entry->use.pins++ == 0) fixed_ += entry->use.bytes;
}

void PageCache::State::RemovePin(Entry* entry) {
  if (--entry->use.pins == 0) fixed_ -= entry->use.bytes;
}

void PageCache::State::SetBytes(Entry* entry, std::size_t bytes) {
  const std::size_t change = bytes - entry->use.bytes;  // May wrap; so do the sums.
  used_ += change;
  if (entry->use.pins > 0) fixed_ += change;
  if (entry->guessed) guessed_ += change;
  policy_.Resize(&entry->use, bytes);
}

bool PageCache::State::MakeRoom(std::size_t bytes) {
  if (fixed_ + bytes > budget_) return false;
  return Shrink(budget_ - bytes);
}

// Gives up pages until the rest take at most `bytes`; false when pins forbid it.
bool PageCache::State::Shrink(std::size_t bytes) {
  while (used_ > bytes) {
    PageUse* victim = policy_.Victim();
    if (victim == nullptr) return false;
    ++counts_.evictions;
    Unlist(entries_.at(victim->key).get(), Forgotten());
  }
  return true;
}

// No request finds it from here on. Its bytes go with the last who holds or reads it.
void PageCache::State::Unlist(Entry* entry, const Status& why) {
  const EntryPtr keep = entries_.at(entry->use.key);
  entries_.erase(entry->use.key);
  policy_.Remove(&entry->use);
  if (entry->guessed && entry->stage == Stage::kReady) ++counts_.prefetches_wasted;
  Proved(entry);
  entry->listed = false;
  if (entry->stage == Stage::kReady) {
    --counts_.pages;
    if (entry->use.pins > 0) return;
    entry->page.reset();
    SetBytes(entry, 0);
    return;
  }
  const bool reading = entry->stage == Stage::kReading;
  if (!reading) {
    std::erase(demanded_, keep);
    std::erase(hinted_, keep);
    SetBytes(entry, 0);
  }
  entry->stage = Stage::kFailed;
  entry->failure = why;
  done_.notify_all();
}

void PageCache::State::Release(Entry* entry) {
  const std::lock_guard lock(mutex_);
  --entry->holders;
  RemovePin(entry);
  if (entry->holders > 0) return;
  if (entry->stage == Stage::kReady) {
    if (entry->listed) {
      (void)Shrink(budget_);
    } else {
      entry->page.reset();
      SetBytes(entry, 0);
    }
  } else if (entry->listed) {
    Unlist(entry, Forgotten());  // Nobody waits for it any more.
  }
}

Status PageCache::State::Await(const Entry& entry, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool ended = done_.wait(
      lock, stop, [&] { return entry.stage == Stage::kReady || entry.stage == Stage::kFailed; });
  return ended ? entry.failure : Cancelled("the read of a page was stopped");
}

void PageCache::State::Prefetch(std::span<const PageRequest> requests) {
  const std::lock_guard lock(mutex_);
  for (const PageRequest& request : requests) {
    bool newer = false;
    if (FindOrRetire(request, &newer) || newer) continue;
    if (guessed_ + most_bytes_ > budget_ / kHintShare || fixed_ + most_bytes_ > budget_) return;
    const auto entry = Begin(request, &hinted_);
    if (!entry.ok()) return;
    (*entry)->guessed = true;
    guessed_ += (*entry)->use.bytes;
  }
}

void PageCache::State::Drop(const PageKey& first, const PageKey& last) {
  const std::lock_guard lock(mutex_);
  for (auto at = entries_.lower_bound(first); at != entries_.end() && at->first <= last;) {
    Unlist((at++)->second.get(), Forgotten());
  }
}

void PageCache::State::SetBudget(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
  policy_.set_budget(bytes);
  (void)Shrink(budget_);
}

PageCacheStats PageCache::State::Stats() {
  const std::lock_guard lock(mutex_);
  PageCacheStats stats = counts_;
  stats.budget_bytes = budget_;
  stats.used_bytes = used_;
  stats.pinned_bytes = fixed_;
  return stats;
}

std::vector<PageCache::State::EntryPtr> PageCache::State::TakeBatch() {
  std::deque<EntryPtr>& queue = demanded_.empty() ? hinted_ : demanded_;
  const std::size_t most = demanded_.empty() ? kHintBatch : kDemandBatch;
  std::vector<EntryPtr> batch;
  while (!queue.empty() && batch.size() < most) {
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
    batch.back()->stage = Stage::kReading;
    AddPin(batch.back().get());
  }
  return batch;
}

void PageCache::State::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto wanted = [&] { return !demanded_.empty() || !hinted_.empty(); };
  while (work_.wait(lock, stop, wanted)) {
    if (stop.stop_requested()) return;
    const std::vector<EntryPtr> batch = TakeBatch();
    std::vector<PageRequest> requests;
    requests.reserve(batch.size());
    for (const EntryPtr& entry : batch) requests.push_back({entry->use.key, entry->generation});
    lock.unlock();
    std::vector<PageResult> pages = source_->Read(requests);
    lock.lock();
    for (std::size_t i = 0; i < batch.size(); ++i) Arrive(batch[i].get(), std::move(pages[i]));
    done_.notify_all();
  }
}

void PageCache::State::Arrive(Entry* entry, PageResult page) {
  RemovePin(entry);
  if (!entry->listed) {  // Dropped, or cancelled by all who had asked.
    if (page.ok()) page->reset();
    SetBytes(entry, 0);
    return;
  }
  if (page.ok() && (*page)->Bytes() > most_bytes_) {
    page = Internal("a page has " + std::to_string((*page)->Bytes()) +
                    " bytes, more than its source said: " + std::to_string(most_bytes_));
  }
  if (!page.ok()) {
    Unlist(entry, page.status());
    SetBytes(entry, 0);
    return;
  }
  entry->page = *std::move(page);
  SetBytes(entry, entry->page->Bytes());
  entry->stage = Stage::kReady;
  ++counts_.pages;
  if (entry->guessed) ++counts_.prefetches;
  (void)Shrink(budget_);
}

PageCache::Pin::~Pin() {
  if (entry_) state_->Release(entry_.get());
}

const Page& PageCache::Pin::operator*() const { return *entry_->page; }

std::vector<Result<PageCache::Pin>> PageCache::Fetching::Wait(const std::stop_token& stop) && {
  for (Result<Pin>& pin : pins_) {
    if (!pin.ok()) continue;
    const Status outcome = pin->state_->Await(*pin->entry_, stop);
    if (!outcome.ok()) pin = outcome;
  }
  return std::move(pins_);
}

PageCache::PageCache(PageSource* source, std::size_t budget_bytes)
    : state_(std::make_unique<State>(source, budget_bytes)) {}

PageCache::~PageCache() = default;

PageCache::Fetching PageCache::Fetch(std::span<const PageRequest> requests) {
  return Fetching(state_->Fetch(requests));
}

std::vector<Result<PageCache::Pin>> PageCache::Read(std::span<const PageRequest> requests,
                                                    const std::stop_token& stop) {
  return Fetch(requests).Wait(stop);
}

void PageCache::Prefetch(std::span<const PageRequest> requests) { state_->Prefetch(requests); }

void PageCache::Drop(std::uint32_t space, std::uint64_t document) {
  constexpr std::uint32_t kLast = ~std::uint32_t{0};
  state_->Drop({space, document, 0}, {space, document, kLast});
  for (PageCache* upper : above_) upper->Drop(space, document);
}

void PageCache::DropSpace(std::uint32_t space) {
  state_->Drop({space, 0, 0}, {space, ~std::uint64_t{0}, ~std::uint32_t{0}});
  for (PageCache* upper : above_) upper->DropSpace(space);
}

void PageCache::DropAll() {
  state_->Drop({}, {~std::uint32_t{0}, ~std::uint64_t{0}, ~std::uint32_t{0}});
  for (PageCache* upper : above_) upper->DropAll();
}

void PageCache::AddTierAbove(PageCache* upper) { above_.push_back(upper); }

void PageCache::SetBudget(std::size_t bytes) { state_->SetBudget(bytes); }

PageCacheStats PageCache::Stats() const { return state_->Stats(); }

}  // namespace kvasir::compute
