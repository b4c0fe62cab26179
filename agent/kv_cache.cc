#include "agent/kv_cache.h"

#include <limits>
#include <utility>

namespace kvasir::agent {
namespace {

std::size_t BytesOf(const SegmentMemory& memory) {
  std::size_t bytes = 0;
  for (const LayerMemory& layer : memory) {
    bytes += sizeof(layer) + (layer.keys.size() + layer.values.size()) * sizeof(float);
  }
  return bytes;
}

}  // namespace

std::vector<std::shared_ptr<const SegmentMemory>> KvCache::Read(
    std::span<const storage::SegmentRequest> requests) {
  std::vector<std::shared_ptr<const SegmentMemory>> found(requests.size());
  std::vector<storage::SegmentRequest> missing;
  std::vector<std::size_t> places;
  std::uint64_t drops_seen = 0;
  {
    const std::lock_guard lock(mutex_);
    drops_seen = drops_;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      found[i] = Find(requests[i]);
      if (found[i]) continue;
      missing.push_back(requests[i]);
      places.push_back(i);
    }
  }
  if (missing.empty()) return found;
  const auto read = store_.ReadKv(missing);
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (!read[i].ok()) continue;
    auto unpacked = UnpackMemory(read[i]->view());
    if (!unpacked.ok()) continue;
    auto memory = std::make_shared<const SegmentMemory>(*std::move(unpacked));
    Insert(missing[i].key, read[i]->view().generation(), memory, drops_seen);
    found[places[i]] = std::move(memory);
  }
  return found;
}

std::shared_ptr<const SegmentMemory> KvCache::Find(const storage::SegmentRequest& request) {
  const auto found = index_.find(request.key);
  if (found == index_.end() || found->second->generation != request.generation) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->memory;
}

void KvCache::Insert(const storage::SegmentKey& key, storage::Generation generation,
                     std::shared_ptr<const SegmentMemory> memory, std::uint64_t drops_seen) {
  const std::size_t bytes = BytesOf(*memory);
  const std::lock_guard lock(mutex_);
  if (drops_ != drops_seen || bytes > capacity_) return;
  if (const auto old = index_.find(key); old != index_.end()) Erase(old);
  entries_.push_front({key, generation, std::move(memory), bytes});
  index_[key] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > capacity_) Erase(index_.find(entries_.back().key));
}

void KvCache::Erase(std::map<storage::SegmentKey, Entries::iterator>::iterator found) {
  bytes_ -= found->second->bytes;
  entries_.erase(found->second);
  index_.erase(found);
}

void KvCache::Drop(storage::SpaceId space, storage::DocumentNumber document) {
  const std::lock_guard lock(mutex_);
  ++drops_;
  const storage::SegmentKey first{space, document, 0};
  for (auto at = index_.lower_bound(first);
       at != index_.end() && at->first.space == space && at->first.document == document;) {
    Erase(at++);
  }
}

void KvCache::DropSpace(storage::SpaceId space) {
  const std::lock_guard lock(mutex_);
  ++drops_;
  for (auto at = index_.lower_bound({space, 0, 0});
       at != index_.end() && at->first.space == space;) {
    Erase(at++);
  }
}

void KvCache::DropAll() {
  const std::lock_guard lock(mutex_);
  ++drops_;
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

std::size_t KvCache::Bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace kvasir::agent
