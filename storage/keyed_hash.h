// Hashes that say nothing to whoever lacks the store's key: SipHash-2-4 (Aumasson, Bernstein 2012).
#ifndef STORAGE_KEYED_HASH_H_
#define STORAGE_KEYED_HASH_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvasir::storage {

using HashKey = std::array<std::uint8_t, 16>;

/// 64 bits; for terms. About 20 ns for a word.
std::uint64_t SipHash64(const HashKey& key, std::string_view bytes);

/// 128 bits as 16 raw bytes; for ids, where a collision would cost a memory.
std::string SipHash128(const HashKey& key, std::string_view bytes);

}  // namespace kvasir::storage

#endif  // STORAGE_KEYED_HASH_H_
