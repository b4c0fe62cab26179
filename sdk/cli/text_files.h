// Finding and reading the texts among files and folders.
#ifndef SDK_CLI_TEXT_FILES_H_
#define SDK_CLI_TEXT_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::cli {

struct FoundFile {
  std::filesystem::path path;  ///< As it was asked for: relative stays relative.
  std::uint64_t bytes = 0;
  bool named =
      false;  ///< Given by name; otherwise met in a folder, where what is no text is skipped.
};

/// The files of `paths` in a stable order; folders are walked. Left out inside folders: hidden
/// names, links, empty files, and folders that hold no texts of one's own (build, node_modules, …).
/// Errors: kNotFound for a path that is not there, kPermissionDenied.
Result<std::vector<FoundFile>> FindFiles(const std::vector<std::string>& paths);

/// JSON lines by name: .jsonl or .ndjson.
bool IsJsonLinesName(const std::filesystem::path& path);

/// Is it UTF-8 without NUL? Surrogates and overlong forms are not.
bool IsText(std::string_view bytes);

/// All of a text file. Errors: kInvalidArgument when it is no UTF-8 text, empty or longer than
/// kMaxMemoryBytes, kPermissionDenied when it cannot be read.
Result<std::string> ReadText(const std::filesystem::path& path);

}  // namespace kvasir::cli

#endif  // SDK_CLI_TEXT_FILES_H_
