// Every input that the fuzzers started from or once broke something with, in every build.
#ifndef KVASIR_TESTS_FUZZ_CORPUS_H_
#define KVASIR_TESTS_FUZZ_CORPUS_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "tests/support/source_dir.h"

namespace kvasir::testing {

struct Corpus {
  std::string folder;  ///< Below tests/fuzz/<part>/corpus.
  void (*check)(std::span<const std::byte>);
};

inline void PrintTo(const Corpus& corpus, std::ostream* out) { *out << corpus.folder; }

/// Runs the check on every kept input of tests/fuzz/`part`, whole and cut off at about 50 places:
/// the check aborts where something does not hold.
inline void ReplayCorpus(const std::string& part, const Corpus& corpus) {
  const std::filesystem::path folder =
      test::SourceDir() / "tests/fuzz" / part / "corpus" / corpus.folder;
  size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    corpus.check(std::as_bytes(std::span(bytes)));
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50) {
      // A copy: reading behind its end is seen by the address sanitizer.
      const std::vector<char> shorter(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      corpus.check(std::as_bytes(std::span(shorter)));
    }
    ++inputs;
  }
  EXPECT_GE(inputs, 3u);
}

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_FUZZ_CORPUS_H_
