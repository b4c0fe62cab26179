#include "sdk/cli/settings.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "sdk/cli/config_file.h"

namespace kvasir::cli {
namespace {

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

/// The file to read: --config (flag or environment), else ./kvasir.toml, else the user's own.
Result<ConfigFile> FindFile(const GivenFlags& flags, const Host& host) {
  const auto flag = flags.find("config");
  const std::string named =
      flag != flags.end() ? flag->second.back() : host.environment("KVASIR_CONFIG").value_or("");
  if (!named.empty()) return ReadConfigFile(named, ConfigOwner::kUser);
  std::error_code absent;
  if (std::filesystem::is_regular_file("kvasir.toml", absent)) {
    return ReadConfigFile("kvasir.toml", ConfigOwner::kFolder);
  }
  const auto base = host.environment("XDG_CONFIG_HOME");
  const std::filesystem::path own =
      (base && !base->empty() ? std::filesystem::path(*base) : HomeFolder(host) / ".config") /
      "kvasir" / "kvasir.toml";
  if (std::filesystem::is_regular_file(own, absent)) {
    return ReadConfigFile(own, ConfigOwner::kUser);
  }
  return ConfigFile{};
}

/// A misspelt key would silently do nothing: each one must belong to some command.
Status CheckKeys(const ConfigFile& file, const std::vector<Option>& common,
                 const std::vector<Command>& all) {
  const auto knows = [](const std::vector<Option>& options, const std::string& name) {
    return std::ranges::any_of(options,
                               [&](const Option& o) { return o.name == name && !o.flag_only; });
  };
  for (const ConfigEntry& entry : file.entries) {
    const bool known =
        (knows(common, entry.name)) || std::ranges::any_of(all, [&](const Command& command) {
          return (entry.section.empty() || entry.section == command.name) &&
                 knows(command.options, entry.name);
        });
    if (!known) {
      return InvalidArgument(Format(
          "{}:{}: no setting is called '{}{}{}'; `kvasir config template` lists them", file.path,
          entry.line, entry.section, entry.section.empty() ? "" : ".", entry.name));
    }
  }
  return Status::Ok();
}

struct Found {
  std::vector<std::string> texts;
  std::string from;
};

Found Find(const Option& option, const std::string& command, const GivenFlags& flags,
           const ConfigFile& file, const Host& host) {
  if (const auto given = flags.find(option.name); given != flags.end()) {
    return {given->second, "flag"};
  }
  if (option.flag_only) return {};
  const std::string variable = EnvironmentName(option.name);
  if (auto value = host.environment(variable); value && !value->empty()) {
    return {{*std::move(value)}, "environment " + variable};
  }
  // [recall] top-k is closer than a top-k for all commands.
  for (const std::string& section : {command, std::string()}) {
    for (const ConfigEntry& entry : file.entries) {
      if (entry.name == option.name && entry.section == section) {
        return {entry.values, Format("{}:{}", file.path, entry.line)};
      }
    }
  }
  return {};
}

}  // namespace

std::string EnvironmentName(const std::string& option) {
  std::string name = "KVASIR_";
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::filesystem::path HomeFolder(const Host& host) { return host.environment("HOME").value_or(""); }

std::vector<Option> CommonOptions(Settings* settings) {
  OpenOptions& open = settings->open;
  return {
      {"store", "PATH", "folder of the store", ToText(&settings->store), OptionKind::kValue,
       "~/.local/share/kvasir/store"},
      {"space", "NAME", "memory bank to use", ToText(&settings->space), OptionKind::kValue,
       std::string(kDefaultSpace)},
      {"json", "", "print one JSON object", ToSwitch(&settings->json), OptionKind::kSwitch},
      {"jsonl", "", "print JSON lines", ToSwitch(&settings->json_lines), OptionKind::kSwitch},
      {"quiet", "", "no notes and no progress bar", ToSwitch(&settings->quiet),
       OptionKind::kSwitch},
      {"config", "FILE", "settings file", ToText(&settings->config)},
      {"model", "PATH", "GGUF file or folder with safetensors", ToText(&open.model),
       OptionKind::kValue},
      {"adapter", "PATH", "router adapter, or 'none'", ToText(&open.adapter), OptionKind::kValue},
      {"backend", "NAME", "cpu, reference or cuda",
       ToChoice<std::string>(
           &open.backend,
           {{"", ""}, {"cpu", "cpu"}, {"reference", "reference"}, {"cuda", "cuda"}})},
      {"threads", "N", "threads to compute with, 0: one per core", ToCount(&open.threads, 0, 1024),
       OptionKind::kValue, "0"},
      {"memory", "SIZE", "most that router indexes and caches may take, say 2GiB; 0: no limit",
       ToBytes(&open.memory_bytes), OptionKind::kValue, "0"},
      {"quantiser", "NAME", "int8, bf16 or f32, for new segments",
       ToChoice<Quantiser>(
           &open.quantiser,
           {{"int8", Quantiser::kInt8}, {"bf16", Quantiser::kBf16}, {"f32", Quantiser::kF32}}),
       OptionKind::kValue, "int8"},
      {"accept-loss", "", "open although synced writes are missing", ToSwitch(&open.accept_loss),
       OptionKind::kSwitch, "", /*flag_only=*/true},
  };
}

Result<std::vector<Origin>> Resolve(const Command& command, const std::vector<Option>& common,
                                    const std::vector<Command>& all, const GivenFlags& flags,
                                    const Host& host) {
  KVASIR_ASSIGN_OR_RETURN(const ConfigFile file, FindFile(flags, host));
  KVASIR_RETURN_IF_ERROR(CheckKeys(file, common, all));
  std::vector<Origin> origins;
  const auto take = [&](const Option& option, const std::string& section) -> Status {
    Found found = Find(option, command.name, flags, file, host);
    const bool is_default = found.from.empty();
    if (is_default && !option.fallback.empty()) found.texts = {option.fallback};
    for (const std::string& text : found.texts) {
      const std::string at = found.from == "flag" ? "--" + option.name : found.from;
      KVASIR_RETURN_IF_ERROR(option.assign(text).WithContext(at));
    }
    if (section.empty() || !is_default) {
      const bool off = is_default && option.kind == OptionKind::kSwitch;
      origins.push_back({section, option.name, off ? "false" : Joined(found.texts),
                         is_default ? "default" : std::move(found.from)});
    }
    return Status::Ok();
  };
  for (const Option& option : common) KVASIR_RETURN_IF_ERROR(take(option, ""));
  for (const Option& option : command.options) {
    KVASIR_RETURN_IF_ERROR(take(option, command.name));
  }
  return origins;
}

}  // namespace kvasir::cli
