#include "storage/coding.h"

#include <xxhash.h>

namespace kvasir::storage {
namespace {

std::uint64_t RowChecksum(std::string_view payload, std::string_view checked_key) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(),
                              XXH3_64bits(checked_key.data(), checked_key.size()));
}

}  // namespace

void ByteWriter::Varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_->push_back(static_cast<char>(value));
}

std::uint64_t ByteReader::Varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return Fail<std::uint64_t>();
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return Fail<std::uint64_t>();
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return Fail<std::uint64_t>();
}

std::uint64_t ByteReader::Bounded(std::uint64_t limit) {
  const std::uint64_t value = Varint();
  return value <= limit ? value : Fail<std::uint64_t>();
}

std::string_view ByteReader::Bytes(std::size_t limit) {
  const std::uint64_t size = Bounded(limit);
  if (size > rest_.size()) return Fail<std::string_view>();
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

void SealRow(std::string* row, std::string_view checked_key) {
  const std::uint64_t checksum = RowChecksum(*row, checked_key);
  ByteWriter(row).Fixed(checksum);
}

bool OpenRow(std::string_view row, std::string_view checked_key, std::string_view* payload) {
  if (row.size() < sizeof(std::uint64_t)) return false;
  *payload = row.substr(0, row.size() - sizeof(std::uint64_t));
  const auto stored = ByteReader(row.substr(payload->size())).Fixed<std::uint64_t>();
  return stored == RowChecksum(*payload, checked_key);
}

}  // namespace kvasir::storage
