// Files as a store needs them: written whole or not at all, durable when the call returns.
#ifndef STORAGE_FILES_H_
#define STORAGE_FILES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::storage {

/// Owns a file descriptor. Move-only.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(other.descriptor_) {
    other.descriptor_ = -1;
  }
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// A Status for the present errno: "<what> <path>: <reason>".
Status FromErrno(std::string_view what, const std::string& path);

/// Opens for reading and writing, mode 0600. `create`: make it if there is none.
Result<FileHandle> OpenFile(const std::string& path, bool create);
/// At most `limit` bytes; kCorruption if there are more.
Result<std::string> ReadSmallFile(const std::string& path, std::size_t limit);
/// Through a temporary file, fsync, rename, fsync of the folder.
Status WriteFileAtomically(const std::string& path, std::string_view bytes);
/// Writes all of `bytes` at `offset` and fsyncs the data.
Status WriteDurably(const FileHandle& file, std::uint64_t offset, std::string_view bytes,
                    const std::string& path);
Status SyncFolder(const std::string& path);

bool FileExists(const std::string& path);
/// Bytes that this process may still write on the file system of `path`.
Result<std::uint64_t> FreeBytes(const std::string& path);
/// Bytes of all files below `path`.
std::uint64_t FolderBytes(const std::string& path);

}  // namespace kvasir::storage

#endif  // STORAGE_FILES_H_
