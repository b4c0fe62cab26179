#include "agent/forget.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;
using storage::EraseOptions;
using storage::EraseReceipt;
using storage::SpaceId;

constexpr std::size_t kMostNamed = 1000;

// The memories that a request means, by number and by name.
struct Targets {
  std::vector<DocumentNumber> numbers;
  std::vector<std::string> ids;  // At most kMostNamed.
  std::uint64_t segments = 0;
  std::uint64_t versions = 0;

  void Add(const storage::Document& document) {
    numbers.push_back(document.record.number);
    if (ids.size() < kMostNamed) ids.push_back(document.record.id);
    segments += document.record.segments;
    versions += document.record.version - 1;
  }
};

Status CheckOneWay(const ForgetRequest& request) {
  const int ways = (request.ids.empty() ? 0 : 1) + (request.session ? 1 : 0) +
                   (request.filter ? 1 : 0) + (request.whole_space ? 1 : 0) +
                   (request.everything ? 1 : 0);
  if (ways == 1) return Status::Ok();
  return InvalidArgument(ways == 0
                             ? "say what to forget: ids, a session, a filter, a space or everything"
                             : "say what to forget in one way only: ids, session, filter, space or "
                               "everything");
}

Result<Targets> ByIds(Bank& bank, SpaceId space, const std::vector<std::string>& ids) {
  Targets targets;
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    if (!seen.insert(id).second) continue;
    const auto document = bank.store().Get(space, id);
    if (document.ok()) {
      targets.Add(*document);
    } else if (document.status().code() != StatusCode::kNotFound) {
      return document.status();
    }
  }
  if (targets.numbers.empty()) {
    return NotFound(ids.size() == 1
                        ? "no memory " + ids.front()
                        : "none of these " + std::to_string(ids.size()) + " memories is there");
  }
  return targets;
}

Result<Targets> BySelection(Bank& bank, SpaceId space, const storage::Selection& selection) {
  KVASIR_ASSIGN_OR_RETURN(const storage::DocumentSet chosen, bank.store().Select(space, selection));
  std::vector<DocumentNumber> numbers;
  chosen.ForEach([&](DocumentNumber number) { numbers.push_back(number); });
  KVASIR_ASSIGN_OR_RETURN(const auto heads,
                          bank.store().GetMany(space, numbers, /*with_text=*/false));
  Targets targets;
  for (const auto& head : heads) {
    if (head) targets.Add(*head);
  }
  return targets;
}

Result<Targets> Resolve(Bank& bank, SpaceId space, const ForgetRequest& request) {
  if (!request.ids.empty()) return ByIds(bank, space, request.ids);
  storage::Selection selection;
  if (request.session) {
    if (request.session->empty()) return InvalidArgument("session: empty");
    selection.session = *request.session;
  }
  selection.filter = request.filter;
  return BySelection(bank, space, selection);
}

Status CheckMax(const ForgetRequest& request, std::uint64_t memories) {
  if (request.max == 0 || memories <= request.max) return Status::Ok();
  return Conflict("this would forget " + std::to_string(memories) + " memories, more than max " +
                  std::to_string(request.max) + "; nothing was forgotten");
}

ForgetReceipt ReceiptOf(const EraseReceipt& erased, std::vector<std::string> ids) {
  ForgetReceipt receipt;
  receipt.ids = std::move(ids);
  receipt.memories = erased.documents;
  receipt.segments = erased.segments;
  receipt.versions = erased.versions;
  receipt.physical = erased.physical;
  receipt.not_reached = {"backups made before", "files exported before",
                         "answers and copies that were given out"};
  return receipt;
}

void DropPages(Bank& bank) {
  if (bank.router_index()) bank.router_index()->DropAllKeys();
  if (bank.kv_pages()) bank.kv_pages()->DropAll();
}

// Out of memory first: should the store fail then, the space is loaded again from what it holds.
void DropFromMemory(Bank& bank, SpaceId space, std::span<const DocumentNumber> numbers) {
  const auto index = bank.router_index() ? bank.router_index()->Loaded(space) : nullptr;
  for (const DocumentNumber number : numbers) {
    if (index) index->Remove(number);
    if (bank.router_index()) bank.router_index()->DropKeys(space, number);
    if (bank.kv_pages()) bank.kv_pages()->Drop(space, number);
  }
}

void DropSpaceFromMemory(Bank& bank, SpaceId space) {
  if (bank.router_index()) bank.router_index()->Drop(space);
  if (bank.kv_pages()) bank.kv_pages()->DropSpace(space);
}

Result<ForgetReceipt> ForgetTargets(Bank& bank, SpaceId space, const ForgetRequest& request,
                                    const CallOptions& options) {
  const std::lock_guard commits(bank.commits());
  KVASIR_ASSIGN_OR_RETURN(Targets targets, Resolve(bank, space, request));
  KVASIR_RETURN_IF_ERROR(CheckMax(request, targets.numbers.size()));
  if (request.dry_run) {
    const EraseReceipt would{.documents = targets.numbers.size(),
                             .segments = targets.segments,
                             .versions = targets.versions,
                             .physical = false};
    return ReceiptOf(would, std::move(targets.ids));
  }
  DropFromMemory(bank, space, targets.numbers);
  const auto erased = bank.store().Erase(space, targets.numbers,
                                         EraseOptions{.defer = request.defer, .call = options});
  if (!erased.ok()) {
    DropSpaceFromMemory(bank, space);
    return erased.status();
  }
  // Whoever read a page while it was still on disk put it back.
  DropFromMemory(bank, space, targets.numbers);
  return ReceiptOf(*erased, std::move(targets.ids));
}

Result<ForgetReceipt> ForgetSpaces(Bank& bank, const ForgetRequest& request,
                                   const CallOptions& options) {
  const std::lock_guard commits(bank.commits());
  EraseReceipt would;
  for (const SpaceInfo& space : bank.store().Spaces()) {
    if (!request.everything && space.name != request.space) continue;
    would.documents += space.memories;
    would.segments += space.segments;
  }
  KVASIR_RETURN_IF_ERROR(CheckMax(request, would.documents));
  const EraseOptions erase{.defer = request.defer, .call = options};
  if (request.everything) {
    if (request.dry_run) return ReceiptOf(would, {});
    if (bank.router_index()) bank.router_index()->DropAll();
    DropPages(bank);
    KVASIR_ASSIGN_OR_RETURN(const EraseReceipt erased, bank.store().EraseAll(erase));
    DropPages(bank);
    KVASIR_RETURN_IF_ERROR(bank.EnsureDefaultSpace());
    return ReceiptOf(erased, {});
  }
  KVASIR_ASSIGN_OR_RETURN(const SpaceId space, bank.store().FindSpace(request.space));
  if (request.dry_run) return ReceiptOf(would, {});
  DropSpaceFromMemory(bank, space);
  KVASIR_ASSIGN_OR_RETURN(const EraseReceipt erased, bank.store().EraseSpace(space, erase));
  DropSpaceFromMemory(bank, space);
  KVASIR_RETURN_IF_ERROR(bank.EnsureDefaultSpace());
  return ReceiptOf(erased, {});
}

// After a purge the store does not say who went: keep in memory what it still shows.
Status Follow(Bank& bank) {
  DropPages(bank);
  if (!bank.router_index()) return Status::Ok();
  for (const SpaceInfo& info : bank.store().Spaces()) {
    KVASIR_ASSIGN_OR_RETURN(const SpaceId space, bank.store().FindSpace(info.name));
    const auto index = bank.router_index()->Loaded(space);
    if (!index) continue;
    KVASIR_ASSIGN_OR_RETURN(const storage::DocumentSet present, bank.store().Select(space, {}));
    index->Retain(present);
  }
  return Status::Ok();
}

}  // namespace

Result<ForgetReceipt> Forget(Bank& bank, const ForgetRequest& request, const CallOptions& options) {
  KVASIR_RETURN_IF_ERROR(CheckOneWay(request));
  if (request.whole_space || request.everything) return ForgetSpaces(bank, request, options);
  KVASIR_ASSIGN_OR_RETURN(const SpaceId space, bank.store().FindSpace(request.space));
  return ForgetTargets(bank, space, request, options);
}

Result<EraseReceipt> PurgeExpired(Bank& bank, bool defer, const CallOptions& options) {
  const std::lock_guard commits(bank.commits());
  auto purged = bank.store().PurgeExpired(EraseOptions{.defer = defer, .call = options});
  if (purged.ok() && purged->documents > 0) KVASIR_RETURN_IF_ERROR(Follow(bank));
  return purged;
}

Result<ForgetReceipt> Compact(Bank& bank, const CallOptions& options) {
  KVASIR_ASSIGN_OR_RETURN(const EraseReceipt purged, PurgeExpired(bank, /*defer=*/true, options));
  KVASIR_ASSIGN_OR_RETURN(const EraseReceipt erased, bank.store().CompactErased(options));
  EraseReceipt both = purged;
  both.physical = erased.physical;
  return ReceiptOf(both, {});
}

}  // namespace kvasir::agent
