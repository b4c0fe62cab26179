#include "storage/store_identity.h"

#include <xxhash.h>

#include <cstring>

namespace kvasir::storage {
namespace {

constexpr std::uint32_t kStoreFormat = 1;

struct IdentityBytes {
  char magic[8];  // "kvasirst"
  std::uint32_t format_version;
  std::uint32_t reserved;
  std::uint8_t uuid[16];
  std::uint8_t hash_key[16];
  std::uint64_t checksum;  // XXH3-64 of what is before it.
};
static_assert(sizeof(IdentityBytes) == 56);

constexpr char kMagic[9] = "kvasirst";

}  // namespace

Result<StoreIdentity> StoreIdentity::Make(RandomSource* random) {
  StoreIdentity identity;
  KVASIR_RETURN_IF_ERROR(random->Fill(identity.uuid));
  KVASIR_RETURN_IF_ERROR(random->Fill(identity.hash_key));
  return identity;
}

std::string StoreIdentity::Encode() const {
  IdentityBytes bytes{};
  std::memcpy(bytes.magic, kMagic, sizeof(bytes.magic));
  bytes.format_version = kStoreFormat;
  std::memcpy(bytes.uuid, uuid.data(), uuid.size());
  std::memcpy(bytes.hash_key, hash_key.data(), hash_key.size());
  bytes.checksum = XXH3_64bits(&bytes, offsetof(IdentityBytes, checksum));
  return {reinterpret_cast<const char*>(&bytes), sizeof(bytes)};
}

Result<StoreIdentity> StoreIdentity::Decode(std::string_view bytes) {
  IdentityBytes raw;
  if (bytes.size() != sizeof(raw)) return Corruption("store identity: wrong length");
  std::memcpy(&raw, bytes.data(), sizeof(raw));
  if (std::memcmp(raw.magic, kMagic, sizeof(raw.magic)) != 0) {
    return Corruption("store identity: not a kvasir store");
  }
  if (raw.checksum != XXH3_64bits(&raw, offsetof(IdentityBytes, checksum))) {
    return Corruption("store identity: bad checksum");
  }
  if (raw.format_version != kStoreFormat) {
    return Corruption("store identity: format version " + std::to_string(raw.format_version) +
                      "; this kvasir reads " + std::to_string(kStoreFormat));
  }
  StoreIdentity identity;
  std::memcpy(identity.uuid.data(), raw.uuid, identity.uuid.size());
  std::memcpy(identity.hash_key.data(), raw.hash_key, identity.hash_key.size());
  return identity;
}

}  // namespace kvasir::storage
