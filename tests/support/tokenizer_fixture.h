// The small tokenizers of tests/fixtures/tokenizer (made by scripts/make-tokenizer-fixture).
#ifndef KVASIR_TESTS_SUPPORT_TOKENIZER_FIXTURE_H_
#define KVASIR_TESTS_SUPPORT_TOKENIZER_FIXTURE_H_

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "model/tokenizer.h"
#include "tests/support/source_dir.h"

namespace kvasir::testing {

inline std::string ReadFixture(const std::string& name) {
  std::ifstream file(kvasir::test::SourceDir() / "tests/fixtures/tokenizer" / name,
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline const nlohmann::json& ExpectedTokens() {
  static const nlohmann::json expected = nlohmann::json::parse(ReadFixture("expected.json"));
  return expected;
}

/// bpe.json with the pre-tokenizer of that name: "gpt-2", "smollm", "llama-bpe", "qwen2".
inline nlohmann::json SmallTokenizerJson(const std::string& name) {
  const nlohmann::json& row = ExpectedTokens()["tokenizers"][name];
  nlohmann::json tokenizer = nlohmann::json::parse(ReadFixture("bpe.json"));
  tokenizer["pre_tokenizer"] = row["pre_tokenizer"];
  tokenizer["model"]["ignore_merges"] = row["ignore_merges"];
  return tokenizer;
}

inline Result<model::Tokenizer> SmallTokenizer(const std::string& name) {
  return model::Tokenizer::FromJson(SmallTokenizerJson(name).dump(), name);
}

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_SUPPORT_TOKENIZER_FIXTURE_H_
