#include "agent/router_index.h"

#include <utility>

namespace kvasir::agent {

Result<std::shared_ptr<SpaceIndex>> RouterIndex::Open(storage::SpaceId space) {
  if (auto loaded = Loaded(space)) return loaded;
  // With writers held up, what the scan does not see cannot be missed.
  const std::lock_guard commits(commits_);
  if (auto loaded = Loaded(space)) return loaded;
  KVASIR_ASSIGN_OR_RETURN(auto index, Load(space));
  const std::lock_guard lock(mutex_);
  spaces_[space] = index;
  return index;
}

Result<std::shared_ptr<SpaceIndex>> RouterIndex::Load(storage::SpaceId space) const {
  KVASIR_ASSIGN_OR_RETURN(std::shared_ptr<SpaceIndex> index, SpaceIndex::Make(spec_, threads_));
  Status appended;
  const auto visit = [&](const storage::SegmentView& router) {
    appended = index->Append(router);
    return appended.ok();
  };
  KVASIR_RETURN_IF_ERROR(store_.ScanRouter(space, visit).status());
  KVASIR_RETURN_IF_ERROR(appended);
  return index;
}

std::shared_ptr<SpaceIndex> RouterIndex::Loaded(storage::SpaceId space) const {
  const std::lock_guard lock(mutex_);
  const auto found = spaces_.find(space);
  return found == spaces_.end() ? nullptr : found->second;
}

void RouterIndex::Drop(storage::SpaceId space) {
  const std::lock_guard lock(mutex_);
  spaces_.erase(space);
}

void RouterIndex::DropAll() {
  const std::lock_guard lock(mutex_);
  spaces_.clear();
}

std::uint64_t RouterIndex::Bytes() const {
  std::map<storage::SpaceId, std::shared_ptr<SpaceIndex>> spaces;
  {
    const std::lock_guard lock(mutex_);
    spaces = spaces_;
  }
  std::uint64_t bytes = 0;
  for (const auto& [space, index] : spaces) bytes += index->Bytes();
  return bytes;
}

}  // namespace kvasir::agent
