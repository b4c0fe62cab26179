// Where the tests find the default model, which is too large for the repository.
#ifndef KVASIR_TESTS_SUPPORT_TEST_MODEL_H_
#define KVASIR_TESTS_SUPPORT_TEST_MODEL_H_

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace kvasir::testing {

/// $KVASIR_TEST_MODEL, else the model that the quickstart keeps in the user's cache; nothing when
/// neither is there.
inline std::optional<std::filesystem::path> FindTestModel() {
  std::filesystem::path path;
  if (const char* named = std::getenv("KVASIR_TEST_MODEL")) {
    path = named;
  } else if (const char* home = std::getenv("HOME")) {
    path = std::filesystem::path(home) / ".cache/kvasir/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  }
  std::error_code error;
  if (path.empty() || !std::filesystem::is_regular_file(path, error)) return std::nullopt;
  return path;
}

}  // namespace kvasir::testing

/// Skips the test, visibly, unless the model is here; otherwise `path` names it.
#define KVASIR_TEST_MODEL_OR_SKIP(path)                                                   \
  const auto path##_found = ::kvasir::testing::FindTestModel();                           \
  if (!path##_found)                                                                      \
    GTEST_SKIP() << "needs SmolLM2-135M-Instruct.Q4_1.gguf: set KVASIR_TEST_MODEL to it"; \
  const std::filesystem::path& path = *path##_found

#endif  // KVASIR_TESTS_SUPPORT_TEST_MODEL_H_
