#include "agent/router_index.h"

#include <system_error>
#include <utility>

#include "agent/router_loader.h"

namespace kvasir::agent {

Result<std::shared_ptr<SpaceIndex>> RouterIndex::Open(storage::SpaceId space) {
  if (auto loaded = Loaded(space)) return loaded;
  // With writers held up, what the scan does not see cannot be missed.
  const std::lock_guard commits(commits_);
  if (auto loaded = Loaded(space)) return loaded;
  KVASIR_ASSIGN_OR_RETURN(std::shared_ptr<SpaceIndex> index, SpaceIndex::Make(spec_, threads_));
  KVASIR_RETURN_IF_ERROR(LoadRouters(store_, space, {}, index.get()));
  const std::lock_guard lock(mutex_);
  spaces_[space] = {index, true};
  return index;
}

RouterIndex::Opening RouterIndex::OpenNow(storage::SpaceId space) {
  const std::lock_guard lock(mutex_);
  if (const auto found = spaces_.find(space); found != spaces_.end()) return found->second;
  if (loading_) return {};
  auto made = SpaceIndex::Make(spec_, threads_);
  if (!made.ok()) return {};
  Opening opening{*std::move(made), false};
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
  const Status loaded = LoadRouters(store_, space, stop, index.get());
  const std::lock_guard lock(mutex_);
  loading_ = false;
  if (!wanted()) return;
  if (loaded.ok()) {
    spaces_[space].complete = true;
  } else {
    spaces_.erase(space);  // Open meets the same error and says it.
  }
}

std::shared_ptr<SpaceIndex> RouterIndex::Loaded(storage::SpaceId space) const {
  const std::lock_guard lock(mutex_);
  const auto found = spaces_.find(space);
  return found == spaces_.end() || !found->second.complete ? nullptr : found->second.index;
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
  std::map<storage::SpaceId, Opening> spaces;
  {
    const std::lock_guard lock(mutex_);
    spaces = spaces_;
  }
  std::uint64_t bytes = 0;
  for (const auto& [space, opening] : spaces) bytes += opening.index->Bytes();
  return bytes;
}

}  // namespace kvasir::agent
