#include <gmock/gmock.h>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using ForgetTest = MemoryTest;

RecallRequest Latent(const std::string& query) {
  RecallRequest request;
  request.query = query;
  request.lexical = false;
  return request;
}

TEST_F(ForgetTest, IsGoneAtOnceAndAfterReopening) {
  Remember("secret", "The vault code is 4711.");
  Remember("other", "The garden needs water.");
  EXPECT_THAT(Recall("vault code"), Contains("secret"));
  const auto receipt = memory().Forget(ForgetIds({"secret"}));
  ASSERT_TRUE(receipt.ok()) << receipt.status().message();
  EXPECT_EQ(receipt->memories, 1U);
  EXPECT_TRUE(receipt->physical);
  EXPECT_FALSE(receipt->not_reached.empty());
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Recall("vault code"), Not(Contains("secret")));
    EXPECT_THAT(Recall(Latent("vault code")), ElementsAre("other"));
    EXPECT_EQ(memory().Get("secret").status().code(), StatusCode::kNotFound);
    EXPECT_EQ(memory().History("secret").status().code(), StatusCode::kNotFound);
    Open();
  }
  EXPECT_TRUE(memory().Verify()->problems.empty());
}

TEST_F(ForgetTest, TakesAFilterOrASessionAndNothingElse) {
  for (int i = 0; i < 6; ++i) {
    RememberRequest request;
    request.id = Name("m", i);
    request.text = Name("Note ", i, ".");
    request.session = i < 3 ? "first" : "second";
    request.metadata["even"] = i % 2 == 0;
    Remember(request);
  }
  ForgetRequest by_filter;
  by_filter.filter = *ParseFilter(R"({"even":true})");
  by_filter.dry_run = true;
  EXPECT_EQ(memory().Forget(by_filter)->memories, 3U);
  EXPECT_EQ(memory().List({})->memories.size(), 6U);
  by_filter.dry_run = false;
  by_filter.max = 2;
  EXPECT_EQ(memory().Forget(by_filter).status().code(), StatusCode::kConflict);
  EXPECT_EQ(memory().List({})->memories.size(), 6U);
  by_filter.max = 3;
  EXPECT_EQ(memory().Forget(by_filter)->memories, 3U);
  ForgetRequest by_session;
  by_session.session = "second";
  EXPECT_THAT(memory().Forget(by_session)->ids, ElementsAre("m3", "m5"));
  EXPECT_THAT(Recall("Note"), ElementsAre("m1"));
}

TEST_F(ForgetTest, OfASpaceLeavesTheOthers) {
  RememberRequest request;
  request.text = "The vault code is 4711.";
  request.id = "a";
  request.space = "left";
  Remember(request);
  request.space = "right";
  Remember(request);
  ForgetRequest forget;
  forget.space = "left";
  forget.whole_space = true;
  ASSERT_TRUE(memory().Forget(forget).ok());
  EXPECT_EQ(memory().Get("a", "left").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(memory().Get("a", "right").ok());
}

TEST_F(ForgetTest, OfEverythingLeavesAWorkingStore) {
  Remember("a", "One.");
  ForgetRequest forget;
  forget.everything = true;
  const auto receipt = memory().Forget(forget);
  ASSERT_TRUE(receipt.ok()) << receipt.status().message();
  EXPECT_EQ(receipt->memories, 1U);
  EXPECT_THAT(Recall("One"), IsEmpty());
  Remember("b", "Two.");
  EXPECT_THAT(Recall("Two"), ElementsAre("b"));
}

TEST_F(ForgetTest, MayBeRepeated) {
  Remember("a", "One.");
  Remember("b", "Two.");
  ASSERT_TRUE(memory().Forget(ForgetIds({"a"})).ok());
  EXPECT_EQ(memory().Forget(ForgetIds({"a", "b"}))->memories, 1U);
  EXPECT_EQ(memory().Forget(ForgetIds({"a", "b"})).status().code(), StatusCode::kNotFound);
}

TEST_F(ForgetTest, CanBeDeferredAndCompactedLater) {
  Remember("a", "The vault code is 4711.");
  ForgetRequest forget;
  forget.ids = {"a"};
  forget.defer = true;
  const auto receipt = memory().Forget(forget);
  ASSERT_TRUE(receipt.ok()) << receipt.status().message();
  EXPECT_FALSE(receipt->physical);
  EXPECT_THAT(Recall("vault"), IsEmpty());
  const auto compacted = memory().Compact();
  ASSERT_TRUE(compacted.ok()) << compacted.status().message();
  EXPECT_TRUE(compacted->physical);
}

TEST_F(ForgetTest, WantsExactlyOneWay) {
  EXPECT_EQ(memory().Forget({}).status().code(), StatusCode::kInvalidArgument);
  ForgetRequest both;
  both.ids = {"a"};
  both.everything = true;
  EXPECT_EQ(memory().Forget(both).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ForgetTest, NeedsNoModel) {
  Remember("a", "The vault code is 4711.");
  OpenOptions options = Options();
  options.load_model = false;
  Open(options);
  EXPECT_EQ(memory().List({})->memories.size(), 1U);
  EXPECT_TRUE(memory().Verify()->problems.empty());
  RememberRequest request;
  request.text = "x";
  EXPECT_EQ(memory().Remember(request).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(memory().Recall(Query("x")).status().code(), StatusCode::kUnavailable);
  RecallRequest lexical;
  lexical.query = "vault";
  lexical.latent = false;
  EXPECT_THAT(Recall(lexical), ElementsAre("a"));
  EXPECT_TRUE(memory().Forget(ForgetIds({"a"})).ok());
}

}  // namespace
}  // namespace kvasir
