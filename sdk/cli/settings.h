// What every command can be told, and where each value came from: flag > environment > kvasir.toml
// > default.
#ifndef SDK_CLI_SETTINGS_H_
#define SDK_CLI_SETTINGS_H_

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kvasir/memory.h"
#include "sdk/cli/command.h"
#include "sdk/cli/host.h"
#include "sdk/cli/output.h"

namespace kvasir::cli {

/// The flags that each command has.
struct Settings {
  std::string store;
  std::string space{kDefaultSpace};
  std::string config;  ///< --config: a file that must be there.
  OpenOptions open;
  bool json = false;
  bool json_lines = false;
  bool quiet = false;

  OutputFormat format() const {
    return json         ? OutputFormat::kJson
           : json_lines ? OutputFormat::kJsonLines
                        : OutputFormat::kHuman;
  }
};

/// The common options, writing into `settings`.
std::vector<Option> CommonOptions(Settings* settings);

/// Where one option's value came from, for `config show --origin`.
struct Origin {
  std::string section;  ///< Empty: common to all commands.
  std::string name;
  std::string value;
  std::string from;  ///< "flag", "environment KVASIR_STORE", "kvasir.toml:3", "default".
};

/// Values given as flags: option name → texts in order.
using GivenFlags = std::map<std::string, std::vector<std::string>, std::less<>>;

/// "top-k" → "KVASIR_TOP_K".
std::string EnvironmentName(const std::string& option);

/// Gives every option of `command` and every common one its value and lists the origins of the
/// common options and of everything else that is set. The file is the one of --config, else
/// ./kvasir.toml, else ~/.config/kvasir/kvasir.toml. Errors name the flag, variable or line at
/// fault.
Result<std::vector<Origin>> Resolve(const Command& command, const std::vector<Option>& common,
                                    const std::vector<Command>& all, const GivenFlags& flags,
                                    const Host& host);

/// The user's home folder of `host`, empty when unknown.
std::filesystem::path HomeFolder(const Host& host);

}  // namespace kvasir::cli

#endif  // SDK_CLI_SETTINGS_H_
