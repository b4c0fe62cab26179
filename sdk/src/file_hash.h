// SHA-256 of a file: how a model file is known by what it holds, whatever it is called.
#ifndef SDK_SRC_FILE_HASH_H_
#define SDK_SRC_FILE_HASH_H_

#include <filesystem>
#include <string>

#include "kvasir/status.h"

namespace kvasir::sdk {

/// 64 lower-case hexadecimal digits. kUnavailable when the file cannot be read. 0.5 to 2 GB/s.
Result<std::string> FileSha256(const std::filesystem::path& path);

}  // namespace kvasir::sdk

#endif  // SDK_SRC_FILE_HASH_H_
