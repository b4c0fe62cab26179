#include "storage/coding.h"

#include <gtest/gtest.h>

#include "storage/high_water.h"
#include "storage/keyed_hash.h"
#include "storage/keys.h"
#include "storage/ledger.h"
#include "storage/pending_erase.h"
#include "storage/postings.h"
#include "storage/timestamp.h"

namespace kvasir::storage {
namespace {

TEST(Coding, ReadsBackVarintsOfEveryLength) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    const std::uint64_t value = (std::uint64_t{1} << shift) + (shift % 3);
    std::string bytes;
    ByteWriter(&bytes).Varint(value);
    ByteReader in(bytes);
    EXPECT_EQ(in.Varint(), value);
    EXPECT_TRUE(in.AtEnd());
  }
}

TEST(Coding, RefusesVarintsThatAreCutOrTooLong) {
  ByteReader cut("\x80");
  cut.Varint();
  EXPECT_FALSE(cut.ok());
  ByteReader long_one(std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10));
  long_one.Varint();
  EXPECT_FALSE(long_one.ok());
}

TEST(Coding, ARowUnderAnotherKeyIsNotOpened) {
  std::string row = "payload";
  SealRow(&row, "key");
  std::string_view payload;
  EXPECT_TRUE(OpenRow(row, "key", &payload));
  EXPECT_EQ(payload, "payload");
  EXPECT_FALSE(OpenRow(row, "kez", &payload));
}

// Vectors of the reference implementation: key 00..0f, message 00..0e.
TEST(KeyedHash, EqualsTheReferenceVectors) {
  HashKey key;
  std::string message;
  for (int i = 0; i < 16; ++i) key[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
  for (int i = 0; i < 15; ++i) message.push_back(static_cast<char>(i));
  EXPECT_EQ(SipHash64(key, message), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(SipHash64(key, ""), 0x726fdb47dd0e0e31ULL);
  const unsigned char empty128[] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                    0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
  EXPECT_EQ(SipHash128(key, ""), std::string(reinterpret_cast<const char*>(empty128), 16));
}

TEST(Keys, OrderIsNumberOrder) {
  EXPECT_LT(DocumentKey(SpaceId{1}, 255), DocumentKey(SpaceId{1}, 256));
  EXPECT_LT(DocumentKey(SpaceId{1}, 1U << 31), DocumentKey(SpaceId{2}, 0));
  EXPECT_EQ(PrefixEnd(std::string("a\xFF", 2)), "b");
  EXPECT_EQ(PrefixEnd("\xFF\xFF"), "");
  EXPECT_EQ(PostingKey({SpaceId{1}, 5000, 2}, 7).size(), kPostingKeyBytes);
}

TEST(HighWater, ASlotSurvivesTheWayToDiskAndNoFlippedBit) {
  const HighWaterMark mark{.sequence = 7,
                           .chain = {1, 2, 3},
                           .next_generation = 9,
                           .next_space = 3,
                           .next_document = 11};
  const std::string slot = HighWaterFile::EncodeSlot(mark);
  EXPECT_EQ(HighWaterFile::DecodeSlot(slot), mark);
  for (std::size_t bit = 0; bit < slot.size() * 8; ++bit) {
    std::string flipped = slot;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(HighWaterFile::DecodeSlot(flipped), std::nullopt) << "bit " << bit;
  }
}

TEST(Ledger, AnEntryDependsOnEveryEntryBefore) {
  LedgerEntry entry{.sequence = 1, .kind = LedgerKind::kWrite, .rows = 5};
  entry.chain = NextChain({}, entry);
  const auto decoded = DecodeLedgerEntry(EncodeLedgerEntry(entry));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, entry);
  EXPECT_NE(NextChain({1}, entry), entry.chain);
  LedgerEntry other = entry;
  ++other.rows;
  EXPECT_NE(NextChain({}, other), entry.chain);
}

TEST(PendingErase, JoinsNumbersToRuns) {
  EXPECT_EQ(RunsOf({1, 2, 3, 7, 8}, 0), (std::vector<NumberRun>{{1, 4}, {7, 9}}));
  const PendingErase pending{.deferred = true, .space = SpaceId{3}, .runs = {{1, 4}, {7, 9}}};
  const auto decoded = DecodePendingErase(EncodePendingErase(pending, "k"), "k");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, pending);
}

TEST(Postings, TheForwardListIsReadBackAndFlippedBitsAreFound) {
  const HashKey key{};
  TermTable table =
      BuildTermTable(key, "a title", "one two two\nthree",
                     {{.span = {0, 12}, .tokens = 3}, {.span = {12, 17}, .tokens = 1}});
  table.generation = 5;
  const std::string bytes = EncodeForward(table, "k");
  const auto decoded = DecodeForward(bytes, "k");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, table);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    EXPECT_FALSE(DecodeForward(flipped, "k").ok());
  }
}

TEST(Timestamp, ReadsAndWritesRfc3339) {
  EXPECT_EQ(FormatRfc3339(*ParseRfc3339("2026-05-01T12:00:00Z")), "2026-05-01T12:00:00Z");
  EXPECT_EQ(FormatRfc3339(*ParseRfc3339("2026-05-01T12:00:00.1259+02:30")),
            "2026-05-01T09:30:00.125Z");
  EXPECT_EQ(FormatRfc3339(*ParseRfc3339("2024-02-29")), "2024-02-29T00:00:00Z");
  for (const char* bad :
       {"", "2026", "2026-13-01", "2025-02-29", "2026-05-01T25:00:00Z", "2026-05-01T12:00:00",
        "2026-05-01T12:00:00Zx", "2026-05-01T12:00:00.Z"}) {
    EXPECT_EQ(ParseRfc3339(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace kvasir::storage
