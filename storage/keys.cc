#include "storage/keys.h"

namespace kvasir::storage {
namespace {

template <typename T>
void AppendBigEndian(std::string* out, T value) {
  for (int shift = static_cast<int>(sizeof(T) - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

template <typename T>
T ReadBigEndian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8) | static_cast<std::uint8_t>(bytes[i]));
  }
  return value;
}

}  // namespace

std::string SpaceRowKey(SpaceId space) {
  std::string key(1, 'S');
  AppendBigEndian(&key, static_cast<std::uint32_t>(space));
  return key;
}

std::string PendingKey(std::uint64_t sequence, std::uint32_t index) {
  std::string key(1, 'P');
  AppendBigEndian(&key, sequence);
  AppendBigEndian(&key, index);
  return key;
}

std::string OnceRowKey(SpaceId space, const HashKey& key, std::string_view once_key) {
  return OnceSpacePrefix('K', space) + SipHash128(key, once_key);
}

std::string OnceOwnerPrefix(SpaceId space, DocumentNumber number) {
  std::string key = OnceSpacePrefix('O', space);
  AppendBigEndian(&key, number);
  return key;
}

std::string OnceSpacePrefix(char kind, SpaceId space) { return kind + SpacePrefix(space); }

std::string LedgerKey(std::uint64_t sequence) {
  std::string key;
  AppendBigEndian(&key, sequence);
  return key;
}

std::string IdKey(SpaceId space, const HashKey& key, std::string_view id) {
  return SpacePrefix(space) + SipHash128(key, id);
}

std::string SpacePrefix(SpaceId space) {
  std::string key;
  AppendBigEndian(&key, static_cast<std::uint32_t>(space));
  return key;
}

std::string DocumentKey(SpaceId space, DocumentNumber number) {
  std::string key = SpacePrefix(space);
  AppendBigEndian(&key, number);
  return key;
}

std::string VersionKey(SpaceId space, DocumentNumber number, std::uint32_t version) {
  std::string key = DocumentKey(space, number);
  AppendBigEndian(&key, version);
  return key;
}

std::string SegmentRowKey(const SegmentKey& key) {
  return VersionKey(key.space, key.document, key.segment);
}

std::string BlockPrefix(SpaceId space, std::uint32_t block) {
  std::string key = SpacePrefix(space);
  AppendBigEndian(&key, block);
  return key;
}

std::string TermPrefix(SpaceId space, std::uint32_t block, std::uint64_t term) {
  std::string key = BlockPrefix(space, block);
  AppendBigEndian(&key, term);
  return key;
}

std::string PostingKey(const SegmentKey& key, std::uint64_t term) {
  std::string row = TermPrefix(key.space, BlockOf(key.document), term);
  AppendBigEndian(&row, static_cast<std::uint16_t>(key.document % kBlockDocuments));
  AppendBigEndian(&row, key.segment);
  return row;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<std::uint8_t>(end.back()) + 1);
  return end;
}

std::uint16_t BigEndian16(std::string_view bytes) { return ReadBigEndian<std::uint16_t>(bytes); }
std::uint32_t BigEndian32(std::string_view bytes) { return ReadBigEndian<std::uint32_t>(bytes); }
std::uint64_t BigEndian64(std::string_view bytes) { return ReadBigEndian<std::uint64_t>(bytes); }

}  // namespace kvasir::storage
