#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace kvasir::storage {

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FromErrno(std::string_view what, const std::string& path) {
  const int error = errno;
  std::string message =
      std::string(what) + " " + path + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
      return NotFound(std::move(message));
    case EACCES:
    case EPERM:
    case EROFS:
      return PermissionDenied(std::move(message));
    case ENOSPC:
    case EDQUOT:
      return NoSpace(std::move(message));
    default:
      return Unavailable(std::move(message));
  }
}

Result<FileHandle> OpenFile(const std::string& path, bool create) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
  if (descriptor < 0) return FromErrno("opening", path);
  return FileHandle(descriptor);
}

Result<std::string> ReadSmallFile(const std::string& path, std::size_t limit) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return FromErrno("opening", path);
  std::string bytes(limit + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno("reading", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) return Corruption(path + " is larger than it can be");
  bytes.resize(size);
  return bytes;
}

Status WriteDurably(const FileHandle& file, std::uint64_t offset, std::string_view bytes,
                    const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FromErrno("writing", path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  if (::fdatasync(file.get()) != 0) return FromErrno("syncing", path);
  return Status::Ok();
}

Status SyncFolder(const std::string& path) {
  const FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return FromErrno("opening", path);
  if (::fsync(folder.get()) != 0) return FromErrno("syncing", path);
  return Status::Ok();
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  {
    const FileHandle file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.is_open()) return FromErrno("creating", temporary);
    KVASIR_RETURN_IF_ERROR(WriteDurably(file, 0, bytes, temporary));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return FromErrno("renaming", temporary);
  return SyncFolder(std::filesystem::path(path).parent_path().string());
}

bool FileExists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Result<std::uint64_t> FreeBytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return FromErrno("asking for the free space of", path);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

std::uint64_t FolderBytes(const std::string& path) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;  // A file may vanish while we look.
    const std::uint64_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace kvasir::storage
