#include "storage/high_water.h"

#include <xxhash.h>

#include <cstring>

namespace kvasir::storage {
namespace {

constexpr std::uint64_t kSlotDistance = 4096;  // A page and a disk block: never torn together.

struct SlotBytes {
  char magic[4];  // "KVHW"
  std::uint32_t format_version;
  std::uint64_t sequence;
  std::uint8_t chain[16];
  std::uint64_t next_generation;
  std::uint64_t next_document;
  std::uint32_t next_space;
  std::uint32_t reserved;
  std::uint64_t checksum;  // XXH3-64 of what is before it.
};
static_assert(sizeof(SlotBytes) == 64);

constexpr char kMagic[5] = "KVHW";
constexpr std::uint32_t kFormat = 1;

std::uint64_t SlotOffset(std::uint64_t sequence) { return (sequence % 2) * kSlotDistance; }

}  // namespace

std::string HighWaterFile::EncodeSlot(const HighWaterMark& mark) {
  SlotBytes slot{};
  std::memcpy(slot.magic, kMagic, sizeof(slot.magic));
  slot.format_version = kFormat;
  slot.sequence = mark.sequence;
  std::memcpy(slot.chain, mark.chain.data(), mark.chain.size());
  slot.next_generation = mark.next_generation;
  slot.next_document = mark.next_document;
  slot.next_space = mark.next_space;
  slot.checksum = XXH3_64bits(&slot, offsetof(SlotBytes, checksum));
  return {reinterpret_cast<const char*>(&slot), sizeof(slot)};
}

std::optional<HighWaterMark> HighWaterFile::DecodeSlot(std::string_view bytes) {
  SlotBytes slot;
  if (bytes.size() != sizeof(slot)) return std::nullopt;
  std::memcpy(&slot, bytes.data(), sizeof(slot));
  if (std::memcmp(slot.magic, kMagic, sizeof(slot.magic)) != 0 || slot.format_version != kFormat ||
      slot.checksum != XXH3_64bits(&slot, offsetof(SlotBytes, checksum))) {
    return std::nullopt;
  }
  HighWaterMark mark{.sequence = slot.sequence,
                     .next_generation = slot.next_generation,
                     .next_space = slot.next_space,
                     .next_document = slot.next_document};
  std::memcpy(mark.chain.data(), slot.chain, mark.chain.size());
  return mark;
}

Status HighWaterFile::Create(const std::string& path) {
  std::string bytes(kSlotDistance + sizeof(SlotBytes), '\0');
  const std::string slot = EncodeSlot({});
  bytes.replace(0, slot.size(), slot);
  bytes.replace(kSlotDistance, slot.size(), slot);
  return WriteFileAtomically(path, bytes);
}

Result<HighWaterFile> HighWaterFile::Open(const std::string& path) {
  KVASIR_ASSIGN_OR_RETURN(FileHandle file, OpenFile(path, /*create=*/false));
  return HighWaterFile(std::move(file), path);
}

Result<HighWaterMark> HighWaterFile::Read(const std::string& path) {
  KVASIR_ASSIGN_OR_RETURN(std::string bytes, ReadSmallFile(path, 2 * kSlotDistance));
  bytes.resize(kSlotDistance + sizeof(SlotBytes));
  const auto slot = [&](std::size_t offset) {
    return DecodeSlot(std::string_view(bytes).substr(offset, sizeof(SlotBytes)));
  };
  const auto first = slot(0);
  const auto second = slot(kSlotDistance);
  if (!first && !second) return Corruption(path + ": both slots of the high-water mark are bad");
  if (!first) return *second;
  if (!second) return *first;
  return first->sequence >= second->sequence ? *first : *second;
}

Status HighWaterFile::Advance(const HighWaterMark& mark) {
  return WriteDurably(file_, SlotOffset(mark.sequence), EncodeSlot(mark), path_);
}

Status HighWaterFile::Reset(const HighWaterMark& mark) {
  KVASIR_RETURN_IF_ERROR(WriteDurably(file_, SlotOffset(mark.sequence), EncodeSlot(mark), path_));
  return WriteDurably(file_, SlotOffset(mark.sequence + 1), EncodeSlot(mark), path_);
}

}  // namespace kvasir::storage
