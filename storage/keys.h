// Row keys: opaque big-endian numbers, so that byte order is number order. No key holds text.
#ifndef STORAGE_KEYS_H_
#define STORAGE_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/ids.h"
#include "storage/keyed_hash.h"

namespace kvasir::storage {

/// Numbers of one postings block: erasing a document rewrites the postings of its block only, and a
/// query reads one short list per term and block.
inline constexpr unsigned kBlockBits = 12;
inline constexpr DocumentNumber kBlockDocuments = DocumentNumber{1} << kBlockBits;
/// Keeps a block number in 32 bits.
inline constexpr DocumentNumber kMaxDocuments = DocumentNumber{1} << (32 + kBlockBits);

inline constexpr std::string_view kStoreRowKey = "H";
inline constexpr std::string_view kModelRowKey = "M";

std::string SpaceRowKey(SpaceId space);                               // 'S' space
std::string PendingKey(std::uint64_t sequence, std::uint32_t index);  // 'P' sequence index
/// 'K' space, 16 hash bytes: what the write with an idempotency key said.
std::string OnceRowKey(SpaceId space, const HashKey& key, std::string_view once_key);
/// 'O' space, number: the prefix of the keys by which a document was written; 16 hash bytes follow.
std::string OnceOwnerPrefix(SpaceId space, DocumentNumber number);
std::string OnceSpacePrefix(char kind, SpaceId space);                      // 'K' or 'O', space
std::string LedgerKey(std::uint64_t sequence);                              // sequence
std::string IdKey(SpaceId space, const HashKey& key, std::string_view id);  // space, 16 hash bytes
std::string SpacePrefix(SpaceId space);                                     // space
std::string DocumentKey(SpaceId space, DocumentNumber number);              // space, number
std::string VersionKey(SpaceId space, DocumentNumber number, std::uint32_t version);
std::string SegmentRowKey(const SegmentKey& key);             // space, number, segment
std::string BlockPrefix(SpaceId space, std::uint32_t block);  // space, block
std::string TermPrefix(SpaceId space, std::uint32_t block, std::uint64_t term);
/// space u32, block u32, term u64, number within the block u16, segment u32.
std::string PostingKey(const SegmentKey& key, std::uint64_t term);

inline std::uint32_t BlockOf(DocumentNumber number) {
  return static_cast<std::uint32_t>(number >> kBlockBits);
}

/// The smallest key greater than every key with this prefix; empty if there is none.
std::string PrefixEnd(std::string_view prefix);

/// Numbers out of a key; the caller has checked its length.
std::uint16_t BigEndian16(std::string_view bytes);
std::uint32_t BigEndian32(std::string_view bytes);
std::uint64_t BigEndian64(std::string_view bytes);

inline constexpr std::size_t kDocumentKeyBytes = 12;
inline constexpr std::size_t kVersionKeyBytes = 16;
inline constexpr std::size_t kSegmentRowKeyBytes = 16;
inline constexpr std::size_t kTermPrefixBytes = 16;
inline constexpr std::size_t kPostingKeyBytes = 22;

}  // namespace kvasir::storage

#endif  // STORAGE_KEYS_H_
