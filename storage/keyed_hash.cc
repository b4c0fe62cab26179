#include "storage/keyed_hash.h"

#include <bit>
#include <cstring>

namespace kvasir::storage {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
  void Absorb(std::uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
  std::uint64_t Squeeze() {
    for (int i = 0; i < 4; ++i) Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

// The state after all of `bytes`, for a digest of 8 or 16 bytes (the two differ by design).
SipState Absorb(const HashKey& key, std::string_view bytes, bool wide) {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  std::memcpy(&k0, key.data(), 8);
  std::memcpy(&k1, key.data() + 8, 8);
  SipState state{k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL ^ (wide ? 0xEEU : 0U),
                 k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    state.Absorb(word);
    bytes.remove_prefix(8);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    last |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  }
  state.Absorb(last);
  return state;
}

}  // namespace

std::uint64_t SipHash64(const HashKey& key, std::string_view bytes) {
  SipState state = Absorb(key, bytes, /*wide=*/false);
  state.v2 ^= 0xFF;
  return state.Squeeze();
}

std::string SipHash128(const HashKey& key, std::string_view bytes) {
  SipState state = Absorb(key, bytes, /*wide=*/true);
  state.v2 ^= 0xEE;
  const std::uint64_t low = state.Squeeze();
  state.v1 ^= 0xDD;
  const std::uint64_t high = state.Squeeze();
  std::string digest(16, '\0');
  std::memcpy(digest.data(), &low, 8);
  std::memcpy(digest.data() + 8, &high, 8);
  return digest;
}

}  // namespace kvasir::storage
