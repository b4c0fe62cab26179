#include "sdk/src/paths.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <system_error>
#include <vector>

#include "model/safetensors.h"
#include "sdk/src/file_hash.h"
#include "sdk/src/json_text.h"

namespace kvasir::sdk {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = ".cache/kvasir/models/SmolLM2-135M-Instruct.Q4_1.gguf";

std::optional<fs::path> Home() {
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return std::nullopt;
  return fs::path(home);
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Where this library's code lies on disk, also when it is linked into a program.
std::optional<fs::path> LibraryFolder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&LibraryFolder), &info) == 0 || !info.dli_fname) {
    return std::nullopt;
  }
  std::error_code error;
  const fs::path file = fs::canonical(info.dli_fname, error);
  if (error) return std::nullopt;
  return file.parent_path();
}

std::vector<fs::path> AdapterFolders() {
  std::vector<fs::path> folders;
  if (const auto library = LibraryFolder()) {
    // <prefix>/lib/libkvasir.so and <prefix>/lib/<triple>/libkvasir.so
    folders.push_back(*library / "../share/kvasir/adapters");
    folders.push_back(*library / "../../share/kvasir/adapters");
  }
  folders.emplace_back(KVASIR_INSTALL_ADAPTERS);
  folders.emplace_back(KVASIR_SOURCE_ADAPTERS);
  return folders;
}

// The SHA-256 of the model file that the adapter was trained on; empty when it does not say.
std::string BaseOf(const fs::path& adapter) {
  const auto file = model::SafetensorsFile::Open(adapter);
  if (!file.ok()) return "";
  const auto settings = (*file)->MetadataString("kvasir_adapter");
  if (!settings.ok()) return "";
  const auto parsed = ParseJson(*settings, "adapter");
  if (!parsed.ok() || !parsed->is_object() || !parsed->contains("base")) return "";
  const nlohmann::json& base = (*parsed)["base"];
  const auto hash = base.find("model_sha256");
  return hash != base.end() && hash->is_string() ? hash->get<std::string>() : "";
}

std::vector<fs::path> ShippedAdapters() {
  std::vector<fs::path> adapters;
  for (const fs::path& folder : AdapterFolders()) {
    std::error_code error;
    const std::size_t before = adapters.size();
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".safetensors") adapters.push_back(entry.path());
    }
    // Where there are several for one model, the last by name is the newest.
    std::sort(adapters.begin() + static_cast<std::ptrdiff_t>(before), adapters.end(),
              std::greater<>());
  }
  return adapters;
}

}  // namespace

Result<std::string> ExpandHome(const std::string& path) {
  if (path.empty()) return InvalidArgument("path: empty");
  if (path[0] != '~' || (path.size() > 1 && path[1] != '/')) return path;
  const auto home = Home();
  if (!home) return InvalidArgument("path " + path + ": $HOME is not set");
  return path.size() <= 2 ? home->string() : (*home / path.substr(2)).string();
}

Result<std::string> FindModel(const std::string& asked) {
  std::string path = asked;
  if (path.empty()) {
    if (const char* named = std::getenv("KVASIR_MODEL")) path = named;
  }
  const bool standard = path.empty();
  if (standard) {
    const auto home = Home();
    if (!home) return Unavailable("no model: name one; $HOME is not set, so there is no default");
    path = (*home / kDefaultModel).string();
  }
  KVASIR_ASSIGN_OR_RETURN(path, ExpandHome(path));
  if (Exists(path)) return path;
  return Unavailable("no model at " + path +
                     (standard ? "; get it with `kvasir model pull`, or name another one" : ""));
}

Result<std::optional<std::string>> FindAdapter(const std::string& asked, const std::string& model) {
  if (asked == "none") return std::optional<std::string>();
  if (!asked.empty()) {
    KVASIR_ASSIGN_OR_RETURN(std::string path, ExpandHome(asked));
    if (!Exists(path)) return NotFound("no adapter at " + path);
    return std::optional(std::move(path));
  }
  const std::vector<fs::path> shipped = ShippedAdapters();
  std::error_code error;
  if (shipped.empty() || !fs::is_regular_file(model, error)) return std::optional<std::string>();
  KVASIR_ASSIGN_OR_RETURN(const std::string hash, FileSha256(model));
  for (const fs::path& adapter : shipped) {
    if (BaseOf(adapter) == hash) return std::optional(adapter.string());
  }
  return std::optional<std::string>();
}

}  // namespace kvasir::sdk
