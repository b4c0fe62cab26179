// Every input that the fuzzers started from or once broke something with, in every build.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/model_files/checks.h"
#include "tests/support/source_dir.h"

namespace kvasir::testing {
namespace {

struct Corpus {
  std::string folder;
  void (*check)(std::span<const std::byte>);
};

class FuzzCorpus : public ::testing::TestWithParam<Corpus> {};

TEST_P(FuzzCorpus, HoldsForEveryKeptInput) {
  const std::filesystem::path folder =
      test::SourceDir() / "tests/fuzz/model_files/corpus" / GetParam().folder;
  size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    GetParam().check(std::as_bytes(std::span(bytes)));
    // Cut off anywhere it must be as harmless.
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50) {
      const std::vector<char> shorter(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      GetParam().check(std::as_bytes(std::span(shorter)));
    }
    ++inputs;
  }
  EXPECT_GE(inputs, 3u);
}

INSTANTIATE_TEST_SUITE_P(ModelFiles, FuzzCorpus,
                         ::testing::Values(Corpus{"gguf", CheckGguf},
                                           Corpus{"safetensors", CheckSafetensors},
                                           Corpus{"json", CheckJson},
                                           Corpus{"tokenizer", CheckTokenizer}),
                         [](const auto& instance) { return instance.param.folder; });

}  // namespace
}  // namespace kvasir::testing
