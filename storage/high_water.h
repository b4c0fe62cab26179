// The high-water mark: outside of the database, how far its commit ledger had come. A database that
// opens "healthy" below it has lost synced commits (a deleted log file, an old copy).
#ifndef STORAGE_HIGH_WATER_H_
#define STORAGE_HIGH_WATER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "storage/files.h"

namespace kvasir::storage {

using ChainHash = std::array<std::uint8_t, 16>;  ///< XXH3-128, canonical form.

struct HighWaterMark {
  std::uint64_t sequence = 0;  ///< Last commit that was synced before this was written.
  ChainHash chain{};           ///< Its chain hash.
  /// Floors: what is handed out after an accepted loss starts here, so that no number returns.
  std::uint64_t next_generation = 1;
  std::uint32_t next_space = 1;
  std::uint64_t next_document = 0;  ///< Over all spaces.
  friend bool operator==(const HighWaterMark&, const HighWaterMark&) = default;
};

/// A file of two slots, 4096 bytes apart, written in turn: a torn write costs one slot, and then
/// the other one is at most one commit behind. One writer.
class HighWaterFile {
 public:
  HighWaterFile() = default;
  static Status Create(const std::string& path);
  static Result<HighWaterFile> Open(const std::string& path);
  /// The newest valid slot. kCorruption if neither is valid.
  static Result<HighWaterMark> Read(const std::string& path);
  /// Durable when it returns.
  Status Advance(const HighWaterMark& mark);
  /// Both slots: after an accepted loss nothing may point higher any more.
  Status Reset(const HighWaterMark& mark);

  static std::string EncodeSlot(const HighWaterMark& mark);
  static std::optional<HighWaterMark> DecodeSlot(std::string_view bytes);

 private:
  HighWaterFile(FileHandle file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  FileHandle file_;
  std::string path_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_HIGH_WATER_H_
