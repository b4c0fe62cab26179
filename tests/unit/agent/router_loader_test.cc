// Loading a space's router records: by many readers as by one.
#include "agent/router_loader.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/agent/router_record.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;
using storage::SegmentKind;
using storage::StatusText;

constexpr std::int64_t kDim = 8;
constexpr int kDocuments = 41;

model::RouterSpec Spec() {
  model::RouterSpec spec;
  spec.layers = {3};
  spec.key_heads = spec.query_heads = 1;
  spec.head_dim = kDim;
  spec.layer_weights = {1.0F};
  return spec;
}

class RouterLoaderTest : public testing::Test {
 protected:
  RouterLoaderTest() {
    store = storage::OpenStore(folder / "store");
    space = *store->EnsureSpace("default");
    std::vector<storage::DocumentWrite> writes;
    for (int i = 0; i < kDocuments; ++i) writes.push_back(Write(i));
    EXPECT_OK(store->Commit(std::move(writes)));
  }

  /// One to three segments, whose keys tell memory and segment.
  static storage::DocumentWrite Write(int number) {
    storage::DocumentWrite write;
    write.record.id = "m" + std::to_string(number);
    write.record.space = "default";
    for (int segment = 0; segment <= number % 3; ++segment) {
      std::vector<float> key(kDim, 0.1F);
      key[0] = static_cast<float>(number + 1);
      key[1] = static_cast<float>(segment);
      const std::uint64_t begin = write.record.text.size();
      write.record.text += "line\n";
      write.segments.push_back(
          {.entry = {.span = {begin, begin + 5}, .tokens = 64},
           .router = RouterRecord({3}, kDim, key, Quantiser::kInt8, storage::kTestModel),
           .kv = storage::TestRecord(SegmentKind::kKv, 64, 2)});
    }
    return write;
  }

  std::unique_ptr<SpaceIndex> Empty() const { return std::move(*SpaceIndex::Make(Spec(), 1)); }

  static std::vector<LatentHit> All(const SpaceIndex& index) {
    const std::vector<model::RouterQuery> question = {
        {.layer = 3, .count = 1, .dim = kDim, .vectors = {1, 0.3F, 0, 0, 0, 0, 0, 0}}};
    const auto scores = index.Score({.layers = question, .best = kDocuments});
    EXPECT_OK(scores);
    return {scores->best().begin(), scores->best().end()};
  }

  static std::set<DocumentNumber> Shown(const SpaceIndex& index) {
    std::set<DocumentNumber> documents;
    for (const LatentHit& hit : All(index)) documents.insert(hit.document);
    return documents;
  }

  storage::TempFolder folder;
  std::unique_ptr<storage::Store> store;
  storage::SpaceId space{};
};

TEST_F(RouterLoaderTest, ManyReadersLoadWhatOneDoes) {
  const auto one = Empty();
  ASSERT_OK(LoadRouters({*store, space}, 1, one.get(), [] { return Status::Ok(); }));
  const auto expected = All(*one);
  ASSERT_EQ(expected.size(), std::size_t{kDocuments});
  for (const DocumentNumber range : {1, 2, 3, 7, 40, 41, 42}) {
    const auto many = Empty();
    ASSERT_OK(LoadRouters({.store = *store, .space = space, .range = range}, 5, many.get(),
                          [] { return Status::Ok(); }));
    EXPECT_EQ(many->Segments(), one->Segments()) << range;
    const auto hits = All(*many);
    ASSERT_EQ(hits.size(), expected.size()) << range;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      EXPECT_EQ(hits[i].document, expected[i].document) << range;
      EXPECT_EQ(hits[i].segment, expected[i].segment) << range;
      EXPECT_EQ(hits[i].score, expected[i].score) << range;
    }
  }
}

TEST_F(RouterLoaderTest, MemoriesAreShownInTheirOrder) {
  const auto index = Empty();
  std::vector<std::set<DocumentNumber>> shown;
  ASSERT_OK(LoadRouters({.store = *store, .space = space, .range = 4}, 5, index.get(), [&] {
    shown.push_back(Shown(*index));
    return Status::Ok();
  }));
  ASSERT_GE(shown.size(), std::size_t{kDocuments / 4});
  for (const auto& documents : shown) {
    if (documents.empty()) continue;
    EXPECT_EQ(*documents.rbegin(), documents.size() - 1);
  }
  EXPECT_EQ(shown.back().size(), std::size_t{kDocuments});
}

TEST_F(RouterLoaderTest, AnErrorOfFitEndsAllReaders) {
  const auto index = Empty();
  int calls = 0;
  const Status loaded =
      LoadRouters({.store = *store, .space = space, .range = 1}, 5, index.get(),
                  [&] { return ++calls < 5 ? Status::Ok() : Unavailable("it does not fit"); });
  EXPECT_EQ(loaded.code(), StatusCode::kUnavailable);
  EXPECT_EQ(calls, 5);
  EXPECT_LT(Shown(*index).size(), 6U);
}

TEST_F(RouterLoaderTest, StopsWhenAsked) {
  std::stop_source stop;
  const auto index = Empty();
  const Status loaded = LoadRouters(
      {.store = *store, .space = space, .stop = stop.get_token(), .range = 1}, 5, index.get(), [&] {
        stop.request_stop();
        return Status::Ok();
      });
  EXPECT_EQ(loaded.code(), StatusCode::kCancelled);
  EXPECT_LT(Shown(*index).size(), std::size_t{kDocuments} / 2);
}

TEST_F(RouterLoaderTest, ErasedMemoriesLeaveRangesEmpty) {
  std::vector<DocumentNumber> gone;
  for (DocumentNumber document = 5; document < 30; ++document) gone.push_back(document);
  ASSERT_OK(store->Erase(space, gone));
  const auto index = Empty();
  ASSERT_OK(LoadRouters({.store = *store, .space = space, .range = 4}, 3, index.get(),
                        [] { return Status::Ok(); }));
  EXPECT_EQ(Shown(*index).size(), std::size_t{kDocuments} - gone.size());
}

TEST_F(RouterLoaderTest, ASpaceThatIsNotThereSaysSo) {
  const auto index = Empty();
  EXPECT_EQ(LoadRouters({*store, storage::SpaceId{77}}, 1, index.get(), [] { return Status::Ok(); })
                .code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace kvasir::agent
