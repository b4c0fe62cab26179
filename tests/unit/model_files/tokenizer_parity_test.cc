// The same ids as the PyPI library `tokenizers` 0.23.3, over prose in many languages and generated
// odd text. scripts/make-tokenizer-fixture wrote the hashes that this test compares with.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "model/gguf.h"
#include "model/tokenizer.h"
#include "model/utf8.h"
#include "tests/support/test_model.h"
#include "tests/support/tokenizer_fixture.h"

namespace kvasir::model {
namespace {

using ::kvasir::testing::ExpectedTokens;
using ::nlohmann::json;

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t Below(uint64_t bound) {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  uint64_t state_;
};

/// One text of the recipe, as the script's `generate` makes it.
std::string Generate(const json& recipe, uint64_t seed) {
  SplitMix64 random(seed);
  std::string text;
  const auto pick = [&](const char* key) -> const json& {
    return recipe[key][random.Below(recipe[key].size())];
  };
  const auto add = [&](uint64_t low, uint64_t count) {
    AppendCodePoint(static_cast<char32_t>(low + random.Below(count)), text);
  };
  for (uint64_t part = 1 + random.Below(250); part > 0; --part) {
    const uint64_t kind = random.Below(100);
    if (kind < 14) {
      text += pick("fragments").get_ref<const std::string&>();
    } else if (kind < 34) {
      for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
        AppendCodePoint(pick("spaces").get<char32_t>(), text);
      }
    } else if (kind < 42) {
      for (uint64_t n = 1 + random.Below(8); n > 0; --n) add('0', 10);
    } else if (kind < 60) {
      for (uint64_t n = 1 + random.Below(9); n > 0; --n) add('a', 26);
    } else {
      const json& range = pick("ranges");
      const auto low = range[0].get<uint64_t>();
      const uint64_t count = range[1].get<uint64_t>() - low + 1;
      for (uint64_t n = 1 + random.Below(14); n > 0; --n) add(low, count);
    }
  }
  return text;
}

const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = [] {
    const json& recipe = ExpectedTokens()["recipe"];
    std::vector<std::string> all = {testing::ReadFixture("prose.txt")};
    for (uint64_t seed = 0; seed < recipe["texts"]; ++seed) all.push_back(Generate(recipe, seed));
    return all;
  }();
  return texts;
}

struct Block {
  size_t tokens = 0;
  uint64_t hash = 0xCBF29CE484222325u;
};

void Add(Block& block, const std::vector<TokenId>& ids) {
  block.tokens += ids.size();
  for (const TokenId id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      block.hash = (block.hash ^ (static_cast<uint32_t>(id) >> shift & 0xFF)) * 0x100000001B3u;
    }
  }
}

void ExpectSameIds(const Tokenizer& tokenizer, const json& rows, bool parse_special) {
  const auto size = ExpectedTokens()["block"].get<size_t>();
  const std::vector<std::string>& texts = Texts();
  ASSERT_EQ(rows.size(), (texts.size() + size - 1) / size);
  for (size_t first = 0; first < texts.size(); first += size) {
    Block block;
    for (size_t i = first; i < std::min(first + size, texts.size()); ++i) {
      const auto ids = tokenizer.Encode(texts[i], {.parse_special = parse_special});
      ASSERT_TRUE(ids.ok()) << ids.status().message();
      Add(block, *ids);
    }
    char hash[17];
    std::snprintf(hash, sizeof(hash), "%016llx", static_cast<unsigned long long>(block.hash));
    const json& row = rows[first / size];
    EXPECT_EQ(block.tokens, row[0]) << "texts from " << first;
    EXPECT_EQ(hash, row[1]) << "texts from " << first;
  }
}

TEST(TokenizerParity, GeneratesTheSameTextsAsTheScript) {
  size_t bytes = 0;
  for (const std::string& text : Texts()) bytes += text.size();
  EXPECT_EQ(bytes, ExpectedTokens()["bytes"]);
  EXPECT_GE(bytes, 1000000u);
}

class TokenizerParity : public ::testing::TestWithParam<std::string> {};

TEST_P(TokenizerParity, GivesTheLibrarysIdsOnSmallVocabularies) {
  const auto tokenizer = testing::SmallTokenizer(GetParam());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const json& rows = ExpectedTokens()["tokenizers"][GetParam()];
  ExpectSameIds(*tokenizer, rows["plain"], false);
  ExpectSameIds(*tokenizer, rows["control"], true);
}

INSTANTIATE_TEST_SUITE_P(PreTokenizers, TokenizerParity,
                         ::testing::Values("gpt-2", "smollm", "llama-bpe", "qwen2"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(TokenizerParity, GivesTheLibrarysIdsForTheDefaultModel) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto tokenizer = Tokenizer::FromGguf(**file);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const json& rows = ExpectedTokens()["tokenizers"]["SmolLM2"];
  ExpectSameIds(*tokenizer, rows["plain"], false);
  ExpectSameIds(*tokenizer, rows["control"], true);
}

}  // namespace
}  // namespace kvasir::model
