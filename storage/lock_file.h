// One process at a time.
#ifndef STORAGE_LOCK_FILE_H_
#define STORAGE_LOCK_FILE_H_

#include <string>

#include "kvasir/status.h"
#include "storage/files.h"

namespace kvasir::storage {

/// Holds the advisory lock on a file until destroyed; the file has the holder's pid as text. The
/// kernel frees it when the process dies, however it dies. Move-only.
class LockFile {
 public:
  LockFile() = default;
  /// kConflict names the pid of the holder.
  static Result<LockFile> Acquire(const std::string& path);

 private:
  explicit LockFile(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_LOCK_FILE_H_
