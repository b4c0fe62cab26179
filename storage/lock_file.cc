#include "storage/lock_file.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace kvasir::storage {

Result<LockFile> LockFile::Acquire(const std::string& path) {
  KVASIR_ASSIGN_OR_RETURN(FileHandle file, OpenFile(path, /*create=*/true));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FromErrno("locking", path);
    const Result<std::string> pid = ReadSmallFile(path, 32);
    return Conflict("the store is in use by process " +
                    (pid.ok() && !pid->empty() ? *pid : std::string("?")) + " (" + path + ")");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(file.get(), 0) != 0) return FromErrno("writing", path);
  KVASIR_RETURN_IF_ERROR(WriteDurably(file, 0, pid, path));
  return LockFile(std::move(file));
}

}  // namespace kvasir::storage
