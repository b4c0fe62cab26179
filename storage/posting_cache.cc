#include "storage/posting_cache.h"

namespace kvasir::storage {
namespace {

// List node, hash node, shared_ptr block: about this much beside the postings themselves.
constexpr std::uint64_t kEntryOverhead = 160;

}  // namespace

std::uint64_t PostingCache::Cost(const Entry& entry) {
  return kEntryOverhead + entry.list->size() * sizeof(Posting);
}

void PostingCache::Remove(Entries::iterator entry) {
  bytes_ -= Cost(*entry);
  index_.erase(entry->key);
  entries_.erase(entry);
}

std::shared_ptr<const PostingList> PostingCache::Find(const PostingListKey& key,
                                                      std::uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end() || found->second->sequence > sequence) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->list;
}

void PostingCache::Insert(const PostingListKey& key, std::uint64_t sequence,
                          std::shared_ptr<const PostingList> list) {
  const std::scoped_lock lock(mutex_);
  const auto touched = block_touched_.find({key.space, key.block});
  if (all_touched_ > sequence) return;
  if (touched != block_touched_.end() && touched->second > sequence) return;
  if (const auto found = index_.find(key); found != index_.end()) Remove(found->second);
  entries_.push_front({key, sequence, std::move(list)});
  index_[key] = entries_.begin();
  bytes_ += Cost(entries_.front());
  while (bytes_ > budget_ && !entries_.empty()) Remove(std::prev(entries_.end()));
}

void PostingCache::Touch(const std::vector<PostingListKey>& keys, std::uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  for (const PostingListKey& key : keys) {
    block_touched_[{key.space, key.block}] = sequence;
    if (const auto found = index_.find(key); found != index_.end()) Remove(found->second);
  }
}

void PostingCache::TouchAll(std::uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  all_touched_ = sequence;
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

std::uint64_t PostingCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace kvasir::storage
