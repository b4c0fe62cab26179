#include "sdk/cli/text_files.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "sdk/cli/format.h"
#include "sdk/cli/line_reader.h"

namespace kvasir::cli {
namespace {

namespace fs = std::filesystem;

// What tools leave behind; hidden folders (.git, .venv) are left out by their dot.
constexpr std::array<std::string_view, 9> kNoTextsOfOnesOwn = {
    "build", "node_modules", "__pycache__", "target", "dist", "venv", "vendor", "out", "bazel-out"};

bool LeftOut(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  std::error_code ignored;
  if (name.starts_with('.') || entry.is_symlink(ignored)) return true;
  return entry.is_directory(ignored) &&
         std::ranges::find(kNoTextsOfOnesOwn, name) != kNoTextsOfOnesOwn.end();
}

Status Walk(const fs::path& folder, std::vector<FoundFile>* files) {
  std::error_code failed;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied,
                                        failed);
  if (failed) return PermissionDenied(Format("{}: {}", folder.string(), failed.message()));
  std::vector<FoundFile> found;
  for (const fs::recursive_directory_iterator end; walk != end; walk.increment(failed)) {
    if (failed) return PermissionDenied(Format("{}: {}", folder.string(), failed.message()));
    if (LeftOut(*walk)) {
      walk.disable_recursion_pending();
      continue;
    }
    std::error_code vanished;
    if (!walk->is_regular_file(vanished)) continue;
    const std::uint64_t bytes = walk->file_size(vanished);
    if (!vanished && bytes > 0) found.push_back({walk->path().lexically_normal(), bytes, false});
  }
  std::ranges::sort(found, {}, &FoundFile::path);
  std::ranges::move(found, std::back_inserter(*files));
  return Status::Ok();
}

/// Bytes of the code point that begins at `i`, 0 when it is malformed.
std::size_t CodePointLength(std::string_view bytes, std::size_t i) {
  const auto at = [&](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
  const unsigned char lead = at(i);
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || i + length > bytes.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((at(i + k) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = at(i + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  const bool beyond = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

Result<std::vector<FoundFile>> FindFiles(const std::vector<std::string>& paths) {
  std::vector<FoundFile> files;
  for (const std::string& name : paths) {
    const fs::path path = fs::path(name).lexically_normal();
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (status.type() == fs::file_type::not_found) {
      return NotFound(Format("{}: no such file or folder; a sentence goes with --text", name));
    }
    if (failed) return PermissionDenied(Format("{}: {}", name, failed.message()));
    if (fs::is_directory(status)) {
      KVASIR_RETURN_IF_ERROR(Walk(path, &files));
      continue;
    }
    // A pipe (process substitution) has no size.
    const std::uint64_t bytes = fs::is_regular_file(status) ? fs::file_size(path, failed) : 0;
    files.push_back({path, bytes, true});
  }
  return files;
}

bool IsJsonLinesName(const fs::path& path) {
  return path.extension() == ".jsonl" || path.extension() == ".ndjson";
}

bool IsText(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = CodePointLength(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

Result<std::string> ReadText(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return PermissionDenied(Format("{}: cannot be read", path.string()));
  std::string text(kMaxMemoryBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return PermissionDenied(Format("{}: cannot be read", path.string()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMaxMemoryBytes) {
    return InvalidArgument(Format("{}: longer than {}; split it, or give its parts as JSON lines",
                                  path.string(), "8 MiB"));
  }
  if (text.empty()) return InvalidArgument(Format("{}: is empty", path.string()));
  if (!IsText(text)) return InvalidArgument(Format("{}: is no UTF-8 text", path.string()));
  return text;
}

}  // namespace kvasir::cli
