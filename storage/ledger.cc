#include "storage/ledger.h"

#include <xxhash.h>

#include <cstring>

#include "storage/coding.h"
#include "storage/keys.h"
#include "storage/records.h"

namespace kvasir::storage {
namespace {

constexpr std::uint8_t kFormat = 1;

void PutFields(ByteWriter* out, const LedgerEntry& entry) {
  out->Fixed(kFormat);
  out->Fixed(static_cast<std::uint8_t>(entry.kind));
  out->Fixed(entry.sequence);
  out->Fixed(static_cast<std::int64_t>(entry.time.time_since_epoch().count()));
  out->Fixed(entry.rows);
  out->Fixed(entry.created);
  out->Fixed(entry.erased);
  out->Fixed(entry.documents);
}

}  // namespace

ChainHash NextChain(const ChainHash& previous, const LedgerEntry& entry) {
  std::string bytes(reinterpret_cast<const char*>(previous.data()), previous.size());
  ByteWriter out(&bytes);
  PutFields(&out, entry);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  ChainHash chain;
  std::memcpy(chain.data(), canonical.digest, chain.size());
  return chain;
}

std::string EncodeLedgerEntry(const LedgerEntry& entry) {
  std::string bytes;
  ByteWriter out(&bytes);
  PutFields(&out, entry);
  out.Fixed(entry.chain);
  SealRow(&bytes, LedgerKey(entry.sequence));
  return bytes;
}

Result<LedgerEntry> DecodeLedgerEntry(std::string_view bytes) {
  // The sequence is at a fixed place and part of the checked key.
  LedgerEntry entry;
  ByteReader in(bytes);
  const auto format = in.Fixed<std::uint8_t>();
  const auto kind = in.Fixed<std::uint8_t>();
  entry.sequence = in.Fixed<std::uint64_t>();
  std::string_view payload;
  if (!OpenRow(bytes, LedgerKey(entry.sequence), &payload)) {
    return Corruption("ledger entry: bad checksum");
  }
  if (format != kFormat || kind < 1 || kind > 5) return Corruption("ledger entry: unknown format");
  entry.kind = static_cast<LedgerKind>(kind);
  entry.time = Timestamp(std::chrono::milliseconds(in.Fixed<std::int64_t>()));
  entry.rows = in.Fixed<std::uint32_t>();
  entry.created = in.Fixed<std::uint64_t>();
  entry.erased = in.Fixed<std::uint64_t>();
  entry.documents = in.Fixed<std::uint64_t>();
  entry.chain = in.Fixed<ChainHash>();
  if (!in.ok() || in.remaining() != sizeof(std::uint64_t)) {
    return Corruption("ledger entry: bad length");
  }
  return entry;
}

std::string EncodeStoreRow(const StoreRow& row) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kFormat);
  out.Fixed(row.sequence);
  out.Fixed(row.chain);
  out.Fixed(row.next_generation);
  out.Fixed(row.next_space);
  out.Fixed(row.documents);
  SealRow(&bytes, kStoreRowKey);
  return bytes;
}

Result<StoreRow> DecodeStoreRow(std::string_view bytes) {
  std::string_view payload;
  if (!OpenRow(bytes, kStoreRowKey, &payload)) return Corruption("store row: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kFormat) return Corruption("store row: unknown format");
  StoreRow row;
  row.sequence = in.Fixed<std::uint64_t>();
  row.chain = in.Fixed<ChainHash>();
  row.next_generation = in.Fixed<Generation>();
  row.next_space = in.Fixed<std::uint32_t>();
  row.documents = in.Fixed<std::uint64_t>();
  if (!in.AtEnd()) return Corruption("store row: bad length");
  return row;
}

std::string EncodeSpaceRow(const SpaceRow& row, std::string_view checked_key) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kFormat);
  out.Fixed(row.next_number);
  out.Fixed(row.documents);
  out.Fixed(row.segments);
  out.Fixed(row.tokens);
  out.Fixed(row.versions);
  out.Fixed(row.document_terms);
  out.Fixed(row.segment_terms);
  out.Bytes(row.name);
  SealRow(&bytes, checked_key);
  return bytes;
}

Result<SpaceRow> DecodeSpaceRow(std::string_view bytes, std::string_view checked_key) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("space row: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kFormat) return Corruption("space row: unknown format");
  SpaceRow row;
  row.next_number = in.Fixed<DocumentNumber>();
  row.documents = in.Fixed<std::uint64_t>();
  row.segments = in.Fixed<std::uint64_t>();
  row.tokens = in.Fixed<std::uint64_t>();
  row.versions = in.Fixed<std::uint64_t>();
  row.document_terms = in.Fixed<std::uint64_t>();
  row.segment_terms = in.Fixed<std::uint64_t>();
  row.name = std::string(in.Bytes(kMaxIdBytes));
  if (!in.AtEnd()) return Corruption("space row: bad length");
  return row;
}

}  // namespace kvasir::storage
