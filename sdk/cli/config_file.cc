#include "sdk/cli/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "sdk/cli/format.h"

namespace kvasir::cli {
namespace {

std::optional<std::string> ScalarText(const toml::node& node) {
  if (auto text = node.value_exact<std::string>()) return text;
  if (const auto yes = node.value_exact<bool>()) return *yes ? "true" : "false";
  if (const auto whole = node.value_exact<std::int64_t>()) return Format("{}", *whole);
  if (const auto real = node.value_exact<double>()) return Format("{}", *real);
  return std::nullopt;
}

class Reader {
 public:
  Reader(ConfigFile* file, ConfigOwner owner) : file_(file), owner_(owner) {}

  Status ReadTable(const toml::table& table, const std::string& section) {
    for (const auto& [key, node] : table) {
      const toml::table* inner = node.as_table();
      if (inner != nullptr && section.empty()) {
        KVASIR_RETURN_IF_ERROR(ReadTable(*inner, std::string(key.str())));
        continue;
      }
      KVASIR_RETURN_IF_ERROR(ReadValue(std::string(key.str()), node, section));
    }
    return Status::Ok();
  }

 private:
  Status ReadValue(std::string name, const toml::node& node, const std::string& section) {
    std::ranges::replace(name, '_', '-');
    ConfigEntry entry{section, name, {}, node.source().begin.line};
    if (owner_ == ConfigOwner::kFolder && name.starts_with("reasoner")) {
      return PermissionDenied(
          Format("{}:{}: '{}' is not taken from the current folder (memories would be sent there); "
                 "put it into ~/.config/kvasir/kvasir.toml or give --config",
                 file_->path, entry.line, name));
    }
    const auto add = [&](const toml::node& item) {
      const std::optional<std::string> text = ScalarText(item);
      if (text) entry.values.push_back(*text);
      return text.has_value();
    };
    const toml::array* list = node.as_array();
    const bool readable = list != nullptr ? std::ranges::all_of(*list, add) : add(node);
    if (!readable) {
      return InvalidArgument(
          Format("{}:{}: '{}' is neither text, number, boolean nor a list of them", file_->path,
                 entry.line, name));
    }
    file_->entries.push_back(std::move(entry));
    return Status::Ok();
  }

  ConfigFile* file_;
  ConfigOwner owner_;
};

}  // namespace

Result<ConfigFile> ReadConfigFile(const std::filesystem::path& path, ConfigOwner owner) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) {
    return NotFound(Format("{}: there is no such settings file", path.string()));
  }
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return PermissionDenied(Format("{}: cannot be read", path.string()));
  ConfigFile file{path.string(), {}};
  try {
    const toml::table table = toml::parse(text.str(), file.path);
    KVASIR_RETURN_IF_ERROR(Reader(&file, owner).ReadTable(table, ""));
  } catch (const toml::parse_error& error) {
    return InvalidArgument(Format("{}:{}: {}", file.path, error.source().begin.line,
                                  std::string_view(error.description())));
  }
  return file;
}

}  // namespace kvasir::cli
