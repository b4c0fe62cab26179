#include "tests/house/include_rules.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <string_view>
#include <tuple>

namespace kvasir::house {
namespace {

using Names = std::vector<std::string_view>;

struct Folder {
  std::string_view name;
  Names folders;        ///< Of ours, beside itself and kvasir/.
  Names third_party{};  ///< Beginnings of their headers' names.
};

const std::vector<Folder>& Folders() {
  static const std::vector<Folder> kFolders = {
      {"sdk/include", {}},
      {"compute", {}, {"dnnl", "oneapi/dnnl"}},
      {"storage",
       {},
       {"rocksdb/", "openssl/", "xxhash.h", "zstd.h", "libstemmer.h", "unicode/", "utf8proc.h"}},
      {"gpu", {"compute"}, {"cuda", "cublas", "nccl", "mma.h", "cooperative_groups"}},
      {"model", {"compute"}, {"nlohmann/", "pcre2.h"}},
      {"agent", {"model", "storage", "compute"}, {"curl/", "nlohmann/"}},
      {"sdk/src", {"agent", "model", "storage", "compute", "gpu"}, {"nlohmann/", "openssl/"}},
      {"sdk/cli", {"http"}, {"CLI/", "fmt/", "nlohmann/", "toml++/"}},
      {"sdk/c", {}},
      {"http", {}, {"httplib.h", "nlohmann/", "openssl/", "spdlog/"}},
      {"examples", {}},
  };
  return kFolders;
}

/// A foreign library that exactly one file may know.
struct Door {
  std::string_view folder;
  std::string_view third_party;
  std::string_view file;
};
constexpr std::array<Door, 8> kDoors = {{
    {"sdk/cli", "CLI/", "sdk/cli/parse_words.cc"},
    {"sdk/cli", "fmt/", "sdk/cli/format.h"},
    {"sdk/cli", "nlohmann/", "sdk/cli/json.h"},
    {"sdk/cli", "toml++/", "sdk/cli/config_file.cc"},
    {"agent", "curl/", "agent/http_client.cc"},
    {"http", "httplib.h", "http/server.cc"},
    {"http", "nlohmann/", "http/json.h"},
    {"http", "openssl/", "http/sha256.cc"},
}};

bool IsUnder(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

const Folder* FolderOf(std::string_view path) {
  const auto found = std::ranges::find_if(
      Folders(), [&](const Folder& folder) { return IsUnder(path, folder.name); });
  return found == Folders().end() ? nullptr : &*found;
}

bool StartsWithOneOf(std::string_view text, const Names& beginnings) {
  return std::ranges::any_of(beginnings,
                             [&](std::string_view begin) { return text.starts_with(begin); });
}

/// <vector>, POSIX and the compiler's own headers.
bool IsSystem(std::string_view target) {
  static const Names kPosix = {"sys/",     "unistd.h", "fcntl.h",   "poll.h",  "spawn.h",
                               "dirent.h", "signal.h", "pthread.h", "sched.h", "linux/",
                               "arpa/",    "netinet/", "netdb.h",   "dlfcn.h", "stdlib.h",
                               "stdint.h", "malloc.h"};
  static const Names kCompiler = {"omp.h",   "cxxabi.h",   "immintrin.h",
                                  "cpuid.h", "arm_neon.h", "x86intrin.h"};
  return target.find('.') == std::string_view::npos || StartsWithOneOf(target, kPosix) ||
         StartsWithOneOf(target, kCompiler);
}

std::string ComplaintOnOurs(const Include& include, const Folder& from) {
  if (include.target.starts_with("kvasir/")) return "";
  const Folder* to = FolderOf(include.target);
  if (to == nullptr) return "is not written from the root of the tree";
  if (to == &from) return "";
  const bool allowed = std::ranges::find(from.folders, to->name) != from.folders.end();
  if (allowed && from.name != "sdk/include") return "";
  return std::string(from.name) + " may not know " + std::string(to->name);
}

std::string ComplaintOnForeign(const Include& include, const Folder& from) {
  if (include.target.starts_with("kvasir/") && from.name == "examples") return "";
  if (IsSystem(include.target)) {
    const bool plain = include.target.find('.') == std::string::npos;
    return from.name == "sdk/include" && !plain ? "public headers use the standard library only"
                                                : "";
  }
  if (!StartsWithOneOf(include.target, from.third_party)) {
    return std::string(from.name) + " may not use this library";
  }
  for (const Door& door : kDoors) {
    if (door.folder == from.name && include.target.starts_with(door.third_party) &&
        door.file != include.file) {
      return "its one door is " + std::string(door.file);
    }
  }
  return "";
}

}  // namespace

std::vector<Include> IncludesOf(const std::filesystem::path& root) {
  static const std::regex kLine(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  for (const Folder& folder : Folders()) {
    const std::filesystem::path at = root / folder.name;
    if (!std::filesystem::is_directory(at)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".cu" && extension != ".c" &&
          extension != ".cuh" && extension != ".inc") {
        continue;
      }
      std::ifstream stream(entry.path());
      std::string text;
      for (int line = 1; std::getline(stream, text); ++line) {
        std::smatch match;
        if (!std::regex_search(text, match, kLine)) continue;
        includes.push_back({std::filesystem::relative(entry.path(), root).string(), match[2],
                            match[1] == "<", line});
      }
    }
  }
  std::ranges::sort(includes, [](const Include& a, const Include& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  return includes;
}

std::string Complaint(const Include& include) {
  const Folder* from = FolderOf(include.file);
  if (from == nullptr) return "lies in a folder that docs/architecture.md does not know";
  return include.angled ? ComplaintOnForeign(include, *from) : ComplaintOnOurs(include, *from);
}

}  // namespace kvasir::house
