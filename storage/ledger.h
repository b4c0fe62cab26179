// The commit ledger and the store's own small rows.
#ifndef STORAGE_LEDGER_H_
#define STORAGE_LEDGER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "kvasir/types.h"
#include "storage/high_water.h"
#include "storage/ids.h"

namespace kvasir::storage {

enum class LedgerKind : std::uint8_t {
  kWrite = 1,
  kErase = 2,
  kPurged = 3,
  kSpace = 4,
  kModel = 5
};

/// One commit: what it did in numbers, tied to all commits before it. No text, no ids, no hash of
/// either: the ledger outlives what is forgotten.
struct LedgerEntry {
  std::uint64_t sequence = 0;  ///< From 1, without gaps.
  LedgerKind kind = LedgerKind::kWrite;
  Timestamp time{};
  std::uint32_t rows = 0;       ///< Puts and deletes in the batch, this entry left out.
  std::uint64_t created = 0;    ///< Documents added.
  std::uint64_t erased = 0;     ///< Documents removed.
  std::uint64_t documents = 0;  ///< In the store after this commit.
  ChainHash chain{};            ///< XXH3-128 of the previous chain hash and all fields above.
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

/// What `entry.chain` must be, coming after `previous`.
ChainHash NextChain(const ChainHash& previous, const LedgerEntry& entry);
std::string EncodeLedgerEntry(const LedgerEntry& entry);
Result<LedgerEntry> DecodeLedgerEntry(std::string_view bytes);

/// The store row ('H'): rewritten by every commit.
struct StoreRow {
  std::uint64_t sequence = 0;
  ChainHash chain{};
  Generation next_generation = 1;
  std::uint32_t next_space = 1;
  std::uint64_t documents = 0;
  friend bool operator==(const StoreRow&, const StoreRow&) = default;
};
std::string EncodeStoreRow(const StoreRow& row);
Result<StoreRow> DecodeStoreRow(std::string_view bytes);

/// A space row ('S' + id).
struct SpaceRow {
  std::string name;
  DocumentNumber next_number = 0;
  std::uint64_t documents = 0;
  std::uint64_t segments = 0;
  std::uint64_t tokens = 0;
  std::uint64_t versions = 0;        ///< Rows in the history.
  std::uint64_t document_terms = 0;  ///< Sum over documents of title + text length in terms.
  std::uint64_t segment_terms = 0;   ///< Sum over segments of title + segment length in terms.
  friend bool operator==(const SpaceRow&, const SpaceRow&) = default;
};
std::string EncodeSpaceRow(const SpaceRow& row, std::string_view checked_key);
Result<SpaceRow> DecodeSpaceRow(std::string_view bytes, std::string_view checked_key);

}  // namespace kvasir::storage

#endif  // STORAGE_LEDGER_H_
