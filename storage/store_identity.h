// The file that makes a folder a store: format version, uuid, and the key of its hashes.
#ifndef STORAGE_STORE_IDENTITY_H_
#define STORAGE_STORE_IDENTITY_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "storage/clock.h"
#include "storage/keyed_hash.h"

namespace kvasir::storage {

struct StoreIdentity {
  std::array<std::uint8_t, 16> uuid{};
  HashKey hash_key{};

  static Result<StoreIdentity> Make(RandomSource* random);
  /// 56 bytes, checksum included.
  std::string Encode() const;
  static Result<StoreIdentity> Decode(std::string_view bytes);
  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};

}  // namespace kvasir::storage

#endif  // STORAGE_STORE_IDENTITY_H_
