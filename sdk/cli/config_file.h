// kvasir.toml, and the one door to toml++.
#ifndef SDK_CLI_CONFIG_FILE_H_
#define SDK_CLI_CONFIG_FILE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::cli {

struct ConfigEntry {
  std::string section;  ///< A command's name, or empty.
  std::string name;     ///< With '-' between words, as flags are written; the file may use '_'.
  std::vector<std::string> values;  ///< One, or the items of a list.
  std::size_t line = 0;
};

struct ConfigFile {
  std::string path;  ///< Empty: there is none.
  std::vector<ConfigEntry> entries;
};

enum class ConfigOwner {
  kUser,    ///< Named by the user or in the user's configuration folder.
  kFolder,  ///< Lay in the current folder: it may have come with somebody else's project.
};

/// Reads strings, numbers, booleans and lists of them, at the top and in one level of tables. A
/// file of a folder may not name a reasoner: it would send memories away. Errors: kNotFound,
/// kInvalidArgument with file and line, kPermissionDenied.
Result<ConfigFile> ReadConfigFile(const std::filesystem::path& path, ConfigOwner owner);

}  // namespace kvasir::cli

#endif  // SDK_CLI_CONFIG_FILE_H_
