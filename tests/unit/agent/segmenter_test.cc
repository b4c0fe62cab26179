#include "agent/segmenter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "model/utf8.h"
#include "tests/support/source_dir.h"
#include "tests/support/tokenizer_fixture.h"

namespace kvasir::agent {
namespace {

const model::Tokenizer& Tokens() {
  static const Result<model::Tokenizer> tokenizer = testing::SmallTokenizer("smollm");
  return *tokenizer;
}

std::vector<Span> Split(std::string_view text, std::int64_t budget,
                        std::span<const std::size_t> turns = {}) {
  const auto spans = SplitText(Tokens(), text, turns, budget);
  EXPECT_TRUE(spans.ok()) << spans.status().message();
  return spans.ok() ? *spans : std::vector<Span>();
}

std::vector<std::string> Pieces(std::string_view text, std::int64_t budget,
                                std::span<const std::size_t> turns = {}) {
  std::vector<std::string> pieces;
  for (const Span& span : Split(text, budget, turns)) {
    pieces.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  return pieces;
}

bool IsCharacterStart(std::string_view text, std::size_t position) {
  return position == text.size() || (static_cast<unsigned char>(text[position]) & 0xC0) != 0x80;
}

// What must hold for every text: nothing lost, nothing cut in two, nothing too long.
void ExpectExactSegments(const std::string& text, std::int64_t budget) {
  std::size_t at = 0;
  for (const Span& span : Split(text, budget)) {
    ASSERT_EQ(span.begin, at);
    ASSERT_GT(span.end, span.begin);
    ASSERT_TRUE(IsCharacterStart(text, span.end)) << "byte " << span.end;
    const auto alone = Tokens().Encode(Trimmed(std::string_view(text).substr(at, span.end - at)));
    ASSERT_TRUE(alone.ok());
    ASSERT_LE(static_cast<std::int64_t>(alone->size()), budget) << "byte " << at;
    at = span.end;
  }
  ASSERT_EQ(at, text.size());
}

std::string RandomText(std::mt19937_64& random, std::size_t characters) {
  constexpr char32_t kLikely[] = {' ', ' ', ' ',  '\n',   '.',    ',',     'a',    'e',  't', 'S',
                                  '0', '7', 0xE9, 0x4E2D, 0x3002, 0x1F600, 0x200D, '\r', '\t'};
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) {
    char32_t c = kLikely[random() % std::size(kLikely)];
    if (random() % 8 == 0) c = 1 + static_cast<char32_t>(random() % 0x10FFFE);
    if (c >= 0xD800 && c <= 0xDFFF) c = 'x';
    const std::size_t repeats = random() % 64 == 0 ? random() % 300 : 1;
    for (std::size_t r = 0; r < repeats; ++r) model::AppendCodePoint(c, text);
  }
  return text;
}

TEST(Segmenter, LosesNothingOfRandomText) {
  std::mt19937_64 random(20260501);
  for (int round = 0; round < 150; ++round) {
    const std::string text = RandomText(random, 1 + random() % 1500);
    const auto budget = static_cast<std::int64_t>(4 + random() % 120);
    ExpectExactSegments(text, budget);
    if (::testing::Test::HasFatalFailure()) FAIL() << "seed 20260501, round " << round;
  }
}

TEST(Segmenter, LosesNothingOfRealText) {
  for (const char* name : {"/docs/adr/0001-dependencies.md", "/agent/segmenter.cc",
                           "/tests/fixtures/tokenizer/prose.txt"}) {
    std::ifstream file(test::SourceDir().string() + name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(text.empty()) << name;
    for (const std::int64_t budget : {16, 100, 500}) ExpectExactSegments(text, budget);
  }
}

TEST(Segmenter, LeavesAShortTextWhole) { EXPECT_EQ(Pieces("One. Two.\n\nThree.", 100).size(), 1U); }

TEST(Segmenter, CutsAtParagraphsBeforeSentences) {
  const std::string first = "The cat sat on the mat. The dog sat by the door all day.\n\n";
  const std::string second = "Rain fell on the town. Nobody went out of the house at all today.";
  const std::size_t tokens = Tokens().Encode(first + second)->size();
  const auto pieces = Pieces(first + second, static_cast<std::int64_t>(tokens) - 4);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0], first);
}

TEST(Segmenter, CutsAtSentencesBeforeWords) {
  const std::string text =
      "The cat sat on the mat and looked out. The dog sat by the door for the whole long day.";
  const std::size_t tokens = Tokens().Encode(text)->size();
  const auto pieces = Pieces(text, static_cast<std::int64_t>(tokens) - 3);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0], "The cat sat on the mat and looked out. ");
}

TEST(Segmenter, CutsConversationsAtTurns) {
  const std::string first = "Ada: I moved to Lisbon, to the old town, in May of this year ";
  const std::string second = "Bob: so you did. And how do you like it there by the river";
  const std::vector<std::size_t> turns = {first.size()};
  const std::size_t tokens = Tokens().Encode(first + second)->size();
  const auto pieces = Pieces(first + second, static_cast<std::int64_t>(tokens) - 2, turns);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0], first);
}

TEST(Segmenter, LeavesNoTinyRest) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "word number " + std::to_string(i) + " ";
  const auto tokens = static_cast<std::int64_t>(Tokens().Encode(Trimmed(text))->size());
  const auto pieces = Pieces(text, tokens - 2);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_GT(pieces[1].size(), text.size() / 5);
}

TEST(Segmenter, CutsAnEndlessWordBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xF0\x9F\x98\x80";  // U+1F600
  ExpectExactSegments(text, 64);
}

TEST(Segmenter, TakesWhiteSpaceOnly) { ExpectExactSegments(std::string(5000, ' ') + "\n\t", 32); }

TEST(Segmenter, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(SplitText(Tokens(), "ab\xFF", {}, 32).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvasir::agent
