#include "storage/pending_erase.h"

#include <algorithm>
#include <map>
#include <set>

#include "storage/coding.h"
#include "storage/keys.h"

namespace kvasir::storage {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint64_t kMaxRuns = 1U << 20;
// Each range is a compaction of its own: numbers this close lie in the same files anyway.
constexpr DocumentNumber kCompactGap = 256;
constexpr std::size_t kMaxCompactRuns = 32;

void AddRun(Family family, SpaceId space, const NumberRun& run, std::vector<KeyRange>* ranges) {
  ranges->push_back({family, DocumentKey(space, run.begin), DocumentKey(space, run.end)});
}

std::vector<NumberRun> MergeRuns(std::vector<NumberRun> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const NumberRun& a, const NumberRun& b) { return a.begin < b.begin; });
  std::vector<NumberRun> merged;
  for (const NumberRun& run : runs) {
    if (!merged.empty() && run.begin <= merged.back().end + kCompactGap) {
      merged.back().end = std::max(merged.back().end, run.end);
    } else {
      merged.push_back(run);
    }
  }
  if (merged.size() > kMaxCompactRuns) return {{merged.front().begin, merged.back().end}};
  return merged;
}

}  // namespace

std::string EncodePendingErase(const PendingErase& pending, std::string_view checked_key) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kFormat);
  out.Fixed(static_cast<std::uint8_t>(pending.deferred));
  out.Fixed(pending.space);
  out.Varint(pending.runs.size());
  for (const NumberRun& run : pending.runs) {
    out.Fixed(run.begin);
    out.Fixed(run.end);
  }
  SealRow(&bytes, checked_key);
  return bytes;
}

Result<PendingErase> DecodePendingErase(std::string_view bytes, std::string_view checked_key) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("pending erasure: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kFormat) return Corruption("pending erasure: unknown format");
  PendingErase pending;
  pending.deferred = in.Fixed<std::uint8_t>() != 0;
  pending.space = in.Fixed<SpaceId>();
  const std::uint64_t runs = in.Bounded(kMaxRuns);
  for (std::uint64_t i = 0; i < runs && in.ok(); ++i) {
    const auto begin = in.Fixed<DocumentNumber>();
    pending.runs.push_back({begin, in.Fixed<DocumentNumber>()});
  }
  if (!in.AtEnd()) return Corruption("pending erasure: bad fields");
  return pending;
}

std::vector<NumberRun> RunsOf(const std::vector<DocumentNumber>& ascending, DocumentNumber gap) {
  std::vector<NumberRun> runs;
  for (const DocumentNumber number : ascending) {
    if (!runs.empty() && number <= runs.back().end + gap) {
      runs.back().end = number + 1;
    } else {
      runs.push_back({number, number + 1});
    }
  }
  return runs;
}

std::vector<KeyRange> RangesToCompact(const std::vector<PendingErase>& pending) {
  std::map<SpaceId, std::vector<NumberRun>> runs;
  std::set<SpaceId> whole;
  for (const PendingErase& erase : pending) {
    if (erase.runs.empty()) whole.insert(erase.space);
    std::vector<NumberRun>& known = runs[erase.space];
    known.insert(known.end(), erase.runs.begin(), erase.runs.end());
  }
  // Names of spaces and idempotency keys lie in the meta family, which is small: all of it.
  std::vector<KeyRange> ranges = {{Family::kMeta, "", ""}};
  for (auto& [space, of_space] : runs) {
    // Id keys are hashes, spread over the whole space.
    const std::string prefix = SpacePrefix(space);
    ranges.push_back({Family::kIds, prefix, PrefixEnd(prefix)});
    if (whole.contains(space)) {
      ranges.push_back({Family::kPostings, prefix, PrefixEnd(prefix)});
      for (const Family family : kDocumentFamilies) {
        ranges.push_back({family, prefix, PrefixEnd(prefix)});
      }
      continue;
    }
    for (const NumberRun& run : MergeRuns(std::move(of_space))) {
      for (const Family family : kDocumentFamilies) AddRun(family, space, run, &ranges);
      ranges.push_back({Family::kPostings, BlockPrefix(space, BlockOf(run.begin)),
                        PrefixEnd(BlockPrefix(space, BlockOf(run.end - 1)))});
    }
  }
  return ranges;
}

}  // namespace kvasir::storage
