// What a RouteIndex reads from its source: keys that its pages gave up.
#include <algorithm>
#include <shared_mutex>
#include <vector>

#include "compute/route_entry.h"
#include "compute/route_page.h"
#include "compute/route_state.h"

namespace kvasir::compute {

std::vector<std::uint32_t> RouteIndex::State::ListKeyless(const RoutePages& of,
                                                          const EntryBitmap* allowed) const {
  std::vector<std::uint32_t> entries;
  for (const auto& page : of) page->ListKeyless(allowed, &entries);
  return entries;
}

Status RouteIndex::State::ReadEntries(std::span<const std::uint32_t> entries, RouteReading reading,
                                      const RouteKeySource::Visit& visit) const {
  std::vector<std::uint64_t> wanted;
  std::vector<std::size_t> places;
  {
    const std::shared_lock lock(mutex);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i] >= homes.size() || homes[entries[i]].page == nullptr) continue;
      wanted.push_back(ids[entries[i]]);
      places.push_back(i);
    }
  }
  if (wanted.empty()) return Status::Ok();
  Status fits;
  KVASIR_RETURN_IF_ERROR(source->Read(wanted, reading, [&](std::size_t i, const RouteEntry& entry) {
    const Status checked = Check(entry);
    if (checked.ok()) {
      visit(places[i], entry);
    } else {
      fits = checked;
    }
  }));
  return fits;
}

Status RouteIndex::State::ScanKeyless(const PreparedQuery& query, const RoutePages& of,
                                      std::span<float> scores,
                                      std::span<std::uint32_t> best_chunk) const {
  std::vector<std::uint32_t> entries = ListKeyless(of, query.allowed);
  std::erase_if(entries, [&](std::uint32_t ordinal) { return ordinal >= scores.size(); });
  EntryScorer scorer(shape, *kernels);
  return ReadEntries(entries, RouteReading::kSweep, [&](std::size_t i, const RouteEntry& entry) {
    std::uint32_t chunk = 0;
    scores[entries[i]] = scorer.Score(query, entry, &chunk);
    if (!best_chunk.empty()) best_chunk[entries[i]] = chunk;
  });
}

}  // namespace kvasir::compute
