#include "storage/segment.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

const SegmentKey kKey{SpaceId{4}, 17, 2};

std::string Sealed(SegmentKind kind) {
  std::string record = TestRecord(kind, 100, 9);
  EXPECT_TRUE(SealSegment(&record, kind, kKey, 33).ok());
  return record;
}

TEST(Segment, GivesBackWhatWasBuilt) {
  const std::string record = Sealed(SegmentKind::kKv);
  const auto view = SegmentView::Parse(record, SegmentKind::kKv);
  ASSERT_OK(view);
  EXPECT_EQ(view->key(), kKey);
  EXPECT_EQ(view->generation(), 33U);
  EXPECT_EQ(view->fingerprint(), kTestModel);
  EXPECT_EQ(view->chunks(), 2U);
  EXPECT_EQ(view->layers()[1], 7U);
  EXPECT_EQ(view->Codes(1, SegmentPart::kValues).size(), 48U);
  EXPECT_EQ(view->Codes(1, SegmentPart::kValues)[47], std::byte{9});
  EXPECT_EQ(view->Scales(0, SegmentPart::kKeys).size(), 2U);
  EXPECT_EQ(view->Scales(0, SegmentPart::kKeys)[1], 9.0F);
}

TEST(Segment, PutsEveryArrayAtAMultipleOf64Bytes) {
  const std::string record = Sealed(SegmentKind::kKv);
  const auto view = *SegmentView::Parse(record, SegmentKind::kKv);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const auto part : {SegmentPart::kKeys, SegmentPart::kValues}) {
      const auto* codes = reinterpret_cast<const char*>(view.Codes(layer, part).data());
      const auto* scales = reinterpret_cast<const char*>(view.Scales(layer, part).data());
      EXPECT_EQ((codes - record.data()) % kSegmentAlignment, 0);
      EXPECT_EQ((scales - record.data()) % kSegmentAlignment, 0);
    }
  }
}

TEST(Segment, RefusesEveryFlippedBitAndEveryCut) {
  const std::string record = Sealed(SegmentKind::kRouter);
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string flipped = record;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(SegmentView::Parse(flipped, SegmentKind::kRouter).ok()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    ASSERT_FALSE(SegmentView::Parse(record.substr(0, size), SegmentKind::kRouter).ok());
  }
}

TEST(Segment, AHeaderWithoutChecksumCheckNeverReachesOutside) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string record = Sealed(SegmentKind::kKv);
    for (int i = 0; i < 3; ++i) record[random() % 112] = static_cast<char>(random());
    const auto view = SegmentView::Parse(record, SegmentKind::kKv, /*verify_checksum=*/false);
    if (!view.ok()) continue;
    const auto last = view->Codes(view->layers().size() - 1, SegmentPart::kValues);
    EXPECT_LE(reinterpret_cast<const char*>(last.data()) + last.size(),
              record.data() + record.size());
  }
}

TEST(Segment, OneKindIsNotTheOther) {
  EXPECT_FALSE(SegmentView::Parse(Sealed(SegmentKind::kRouter), SegmentKind::kKv).ok());
}

TEST(Segment, RefusesShapesThatCannotBe) {
  const SegmentShape good{.quantiser = Quantiser::kInt8,
                          .layers = {1, 2},
                          .chunks = 1,
                          .tokens = 1,
                          .vector_length = 8,
                          .scales_per_vector = 2};
  const auto create = [](const SegmentShape& shape) {
    return SegmentBuilder::Create(SegmentKind::kKv, kTestModel, shape).status().code();
  };
  EXPECT_EQ(create(good), StatusCode::kOk);
  SegmentShape bad = good;
  bad.layers = {2, 1};
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument);
  bad = good;
  bad.layers = {};
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument);
  bad = good;
  bad.chunks = 0;
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument);
  bad = good;
  bad.scales_per_vector = 3;
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument);
  bad = good;
  bad.quantiser = Quantiser::kBf16;
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument) << "bf16 has no scales";
  bad = good;
  bad.tokens = bad.chunks = kMaxSegmentChunks;
  bad.vector_length = kMaxVectorLength;
  EXPECT_EQ(create(bad), StatusCode::kInvalidArgument) << "over a gigabyte";
}

}  // namespace
}  // namespace kvasir::storage
