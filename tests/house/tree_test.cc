// The shape of the tree: small files, a README in each folder, nothing of one machine in any file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/source_dir.h"

namespace kvasir::house {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kMostLines = 600;
constexpr int kMostReadmeLines = 40;

bool IsSource(const fs::path& path) {
  static const std::set<std::string> kSources = {".h", ".cc", ".c", ".cu", ".cuh", ".py", ".js"};
  return kSources.contains(path.extension().string());
}

bool IsWritten(const fs::path& path) {
  static const std::set<std::string> kWritten = {".md",  ".txt", ".cmake", ".sh",   ".toml",
                                                 ".yml", "",     ".in",    ".html", ".css"};
  return IsSource(path) || kWritten.contains(path.extension().string()) ||
         path.filename() == "CMakePresets.json";
}

/// Every file that is ours: not what git ignores, not data that tests read.
std::vector<fs::path> Files() {
  static const std::set<std::string> kNotOurs = {".git",     "build",  ".venv", "__pycache__",
                                                 "fixtures", "corpus", "data"};
  std::vector<fs::path> files;
  fs::recursive_directory_iterator walk(test::SourceDir());
  for (const fs::recursive_directory_iterator end; walk != end; ++walk) {
    if (walk->is_directory() && kNotOurs.contains(walk->path().filename().string())) {
      walk.disable_recursion_pending();
    } else if (walk->is_regular_file() && IsWritten(walk->path())) {
      files.push_back(walk->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::ptrdiff_t LinesOf(const std::string& text) { return std::ranges::count(text, '\n'); }

/// Words that no file may hold, joined here so that this file does not hold them.
std::vector<std::string> ForbiddenWords() {
  const std::string slash = "/";
  return {slash + "work/",
          slash + "root/",
          slash + "home/",
          slash + "tmp/",
          std::string("TO") + "DO",
          std::string("FIX") + "ME",
          std::string("pypi") + ".org",
          std::string("python") + "hosted",
          std::string("deb.") + "debian"};
}

std::string ForbiddenWordIn(std::string_view text) {
  for (const std::string& word : ForbiddenWords()) {
    if (text.find(word) != std::string_view::npos) return word;
  }
  return "";
}

TEST(Tree, HasNoSourceFileOfMoreThan600Lines) {
  const auto files = Files();
  ASSERT_GT(files.size(), 50U);
  for (const fs::path& file : files) {
    if (IsSource(file)) {
      EXPECT_LE(LinesOf(Read(file)), kMostLines) << file;
    }
  }
}

TEST(Tree, HasAShortReadmeInEachFolderThatIsBuilt) {
  std::vector<fs::path> folders = {"tests", "scripts"};
  for (const fs::path& file : Files()) {
    const fs::path folder = fs::relative(file.parent_path(), test::SourceDir());
    const bool is_part =
        file.filename() == "CMakeLists.txt" && folder != "." && *folder.begin() != "tests";
    if (is_part) folders.push_back(folder);
  }
  for (const fs::path& folder : folders) {
    const fs::path readme = test::SourceDir() / folder / "README.md";
    EXPECT_TRUE(fs::exists(readme)) << folder << " has no README.md";
    EXPECT_LE(LinesOf(Read(readme)), kMostReadmeLines) << readme;
  }
}

TEST(Tree, HoldsNothingOfOneMachine) {
  for (const fs::path& file : Files()) {
    EXPECT_THAT(ForbiddenWordIn(Read(file)), IsEmpty()) << file;
  }
}

TEST(Tree, TestOfWordsFindsAPlantedOne) {
  EXPECT_THAT(ForbiddenWordIn(std::string("see ") + "/wo" + "rk/notes"), Not(IsEmpty()));
  EXPECT_THAT(ForbiddenWordIn("a network of roots"), IsEmpty());
}

}  // namespace
}  // namespace kvasir::house
