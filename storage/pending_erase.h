// What an erasure still has to make physical: numbers only, kept until it is done.
#ifndef STORAGE_PENDING_ERASE_H_
#define STORAGE_PENDING_ERASE_H_

#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "storage/engine.h"
#include "storage/ids.h"

namespace kvasir::storage {

/// Half-open run of document numbers.
struct NumberRun {
  DocumentNumber begin = 0;
  DocumentNumber end = 0;
  friend bool operator==(const NumberRun&, const NumberRun&) = default;
};

/// A pending row ('P' + sequence of its commit). No runs: the whole space.
struct PendingErase {
  bool deferred = false;  ///< True: an open after a crash leaves it alone, CompactErased does it.
  SpaceId space{};
  std::vector<NumberRun> runs;
  friend bool operator==(const PendingErase&, const PendingErase&) = default;
};

std::string EncodePendingErase(const PendingErase& pending, std::string_view checked_key);
Result<PendingErase> DecodePendingErase(std::string_view bytes, std::string_view checked_key);

/// Ascending, distinct numbers as runs; runs closer than `gap` become one.
std::vector<NumberRun> RunsOf(const std::vector<DocumentNumber>& ascending, DocumentNumber gap);

/// Every key range that can hold bytes of what was erased.
std::vector<KeyRange> RangesToCompact(const std::vector<PendingErase>& pending);

/// The families whose keys begin with (space, document number).
inline constexpr Family kDocumentFamilies[] = {Family::kHeads,   Family::kHistory, Family::kBodies,
                                               Family::kForward, Family::kRouter,  Family::kKv};

}  // namespace kvasir::storage

#endif  // STORAGE_PENDING_ERASE_H_
