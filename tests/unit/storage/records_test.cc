#include "storage/records.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

Document Sample() {
  Document document;
  MemoryRecord& record = document.record;
  document.generation = 12;
  record.id = "id";
  record.title = "title";
  record.text = "héllo wörld";
  record.messages = {{.role = "user", .content = "hi", .name = "", .time = Timestamp()}};
  record.metadata = {{"l", std::vector<std::string>{"a", ""}}, {"n", std::int64_t{-1}}};
  record.expires_at = Timestamp(std::chrono::milliseconds(5));
  record.segments = 2;
  document.segments = {{.span = {0, 6}, .tokens = 3}, {.span = {7, 13}, .tokens = 2}};
  return document;
}

TEST(Records, HeadAndBodyAreReadBack) {
  const Document document = Sample();
  auto decoded = DecodeHead(EncodeHead(document, "k"), "k");
  ASSERT_OK(decoded);
  ASSERT_OK(DecodeBody(EncodeBody(document, "k"), "k", &*decoded));
  EXPECT_EQ(decoded->record.text, document.record.text);
  EXPECT_EQ(decoded->record.messages, document.record.messages);
  EXPECT_EQ(decoded->record.metadata, document.record.metadata);
  EXPECT_EQ(decoded->record.expires_at, document.record.expires_at);
  EXPECT_EQ(decoded->record.valid_from, std::nullopt);
  EXPECT_EQ(decoded->segments, document.segments);
}

TEST(Records, ABodyOfAnotherGenerationIsRefused) {
  Document document = Sample();
  const std::string body = EncodeBody(document, "k");
  ++document.generation;
  EXPECT_EQ(DecodeBody(body, "k", &document).code(), StatusCode::kCorruption);
}

TEST(Records, EveryFlippedByteIsFound) {
  const std::string head = EncodeHead(Sample(), "k");
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::string flipped = head;
    flipped[i] = static_cast<char>(flipped[i] ^ 8);
    EXPECT_FALSE(DecodeHead(flipped, "k").ok());
  }
}

TEST(Records, ContentHashIsTheSha256OfTitleZeroText) {
  // printf 'a\0b' | sha256sum
  EXPECT_EQ(ContentHash("a", "b"),
            "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138");
  EXPECT_NE(ContentHash("ab", ""), ContentHash("a", "b"));
}

TEST(Records, KnowsCleanUtf8) {
  EXPECT_TRUE(IsCleanUtf8("héllo 水 😀"));
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\xC0\x80"), std::string("\xED\xA0\x80"),
        std::string("\xF4\x90\x80\x80"), std::string("\xE2\x82")}) {
    EXPECT_FALSE(IsCleanUtf8(bad));
  }
}

TEST(Records, RefusesSpansThatOverlapOrCutCodePoints) {
  const std::string text = "héllo";
  const auto check = [&](Span a, Span b) {
    return ValidateSegments(text, {{.span = a, .tokens = 1}, {.span = b, .tokens = 1}}).ok();
  };
  EXPECT_TRUE(check({0, 3}, {3, 6}));
  EXPECT_FALSE(check({0, 2}, {2, 6})) << "cuts the e acute";
  EXPECT_FALSE(check({0, 4}, {3, 6}));
  EXPECT_FALSE(check({0, 3}, {3, 7}));
  EXPECT_FALSE(ValidateSegments(text, {}).ok());
}

TEST(Records, RefusesFieldsOverTheirLimits) {
  MemoryRecord record;
  record.text = "t";
  EXPECT_OK(ValidateRecord(record));
  record.id = std::string(kMaxIdBytes + 1, 'x');
  EXPECT_FALSE(ValidateRecord(record).ok());
  record.id.clear();
  record.metadata["k"] = std::string(kMaxMetadataBytes, 'x');
  EXPECT_FALSE(ValidateRecord(record).ok());
  record.metadata.clear();
  record.text.clear();
  EXPECT_FALSE(ValidateRecord(record).ok());
}

}  // namespace
}  // namespace kvasir::storage
