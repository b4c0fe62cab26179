#include "model/number_trie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/sampler.h"

namespace kvasir::model {
namespace {

using testing::ElementsAre;

constexpr std::int32_t kOpen = 50;
constexpr std::int32_t kClose = 51;

/// "[", the digits as tokens 0 to 9, "]".
NumberTrie TrieOf(std::initializer_list<std::uint64_t> numbers) {
  NumberTrie trie;
  for (const std::uint64_t number : numbers) {
    std::vector<std::int32_t> spelling = {kOpen};
    for (const char digit : std::to_string(number)) spelling.push_back(digit - '0');
    spelling.push_back(kClose);
    trie.Add(number, spelling);
  }
  return trie;
}

TEST(NumberTrie, OffersOnlyWhatLeadsToANumber) {
  NumberTrie trie = TrieOf({12, 1, 305});
  EXPECT_THAT(trie.allowed(), ElementsAre(kOpen));
  trie.Advance(kOpen);
  EXPECT_THAT(trie.allowed(), ElementsAre(1, 3));
  trie.Advance(1);
  EXPECT_THAT(trie.allowed(), ElementsAre(2, kClose));
  trie.Advance(kClose);
  ASSERT_TRUE(trie.finished());
  EXPECT_EQ(trie.number(), 1U);
}

TEST(NumberTrie, WhateverTheLogitsOnlyOfferedNumbersComeOut) {
  NumberTrie trie = TrieOf({7, 70, 71, 9001, 12});
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Sampler sampler({.temperature = 10, .seed = seed});
    const std::vector<float> logits(52, 0.0F);
    trie.Restart();
    while (!trie.finished()) trie.Advance(sampler.Next(logits, trie.allowed()));
    EXPECT_THAT(trie.number(), testing::AnyOf(7U, 70U, 71U, 9001U, 12U));
  }
}

}  // namespace
}  // namespace kvasir::model
