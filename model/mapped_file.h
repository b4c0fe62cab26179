// A whole file as read-only memory.
#ifndef KVASIR_MODEL_MAPPED_FILE_H_
#define KVASIR_MODEL_MAPPED_FILE_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include "kvasir/status.h"

namespace kvasir::model {

/// Owns one mapping; movable, unmapped by the destructor. Opening costs no reading: pages come in
/// when touched. Whoever truncates the file while it is mapped makes later reads fault (SIGBUS),
/// as with every mapping: replace model files by renaming, never in place.
class MappedFile {
 public:
  /// kNotFound or kPermissionDenied as the system says; kInvalidArgument for a folder or a device.
  /// An empty file maps to no bytes.
  static Result<MappedFile> Open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile(std::filesystem::path path, std::span<const std::byte> bytes)
      : path_(std::move(path)), bytes_(bytes) {}

  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_MAPPED_FILE_H_
