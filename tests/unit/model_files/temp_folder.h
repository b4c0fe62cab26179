// A folder of a test's own, gone with it.
#ifndef KVASIR_TESTS_UNIT_MODEL_FILES_TEMP_FOLDER_H_
#define KVASIR_TESTS_UNIT_MODEL_FILES_TEMP_FOLDER_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace kvasir::testing {

class TempFolder {
 public:
  TempFolder() {
    std::string name = ::testing::TempDir() + "kvasir_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_UNIT_MODEL_FILES_TEMP_FOLDER_H_
