#include "model/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/model/tiny_model.h"

namespace kvasir::model {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

std::unique_ptr<Question> MakeQuestion(const std::shared_ptr<const Model>& model) {
  auto question = Question::Make(model);
  EXPECT_TRUE(question.ok()) << question.status().message();
  return std::move(question).value();
}

std::vector<float> Copy(std::span<const float> values) { return {values.begin(), values.end()}; }

/// The same chunks for every layer.
class FixedMemory final : public MemoryProvider {
 public:
  explicit FixedMemory(std::size_t numbers) : keys_(numbers), values_(numbers) {
    for (std::size_t i = 0; i < numbers; ++i) {
      keys_[i] = static_cast<float>(i % 7) - 3;
      values_[i] = static_cast<float>(i % 5) - 2;
    }
  }
  Status Select(const RouterQuery& query, std::vector<MemoryBlock>& blocks) override {
    layers_.push_back(query.layer);
    vectors_.push_back(query.count);
    blocks.push_back({.keys = keys_, .values = values_});
    return Status::Ok();
  }
  std::vector<std::int32_t> layers_;
  std::vector<std::int64_t> vectors_;

 private:
  std::vector<float> keys_;
  std::vector<float> values_;
};

class FailingMemory final : public MemoryProvider {
 public:
  Status Select(const RouterQuery&, std::vector<MemoryBlock>&) override {
    return Unavailable("the index is being rebuilt");
  }
};

TEST(Question, DecodingGivesWhatPrefillGives) {
  for (const std::string backend : {"reference", "cpu"}) {
    const auto model = TinyModel({.backend = backend});
    const auto whole = MakeQuestion(model);
    const auto stepwise = MakeQuestion(model);
    const auto tokens = TinyTokens(100);
    ASSERT_TRUE(whole->Prefill({.tokens = tokens}).ok());
    ASSERT_TRUE(stepwise->Prefill({.tokens = std::span(tokens).first(5)}).ok());
    for (std::size_t i = 5; i < 90; ++i) {
      ASSERT_TRUE(stepwise->Append(std::span(&tokens[i], 1)).ok());
    }
    ASSERT_TRUE(stepwise->Append(std::span(tokens).subspan(90)).ok());
    EXPECT_EQ(stepwise->length(), 100);
    EXPECT_THAT(Copy(stepwise->logits()), Pointwise(FloatNear(2e-4F), whole->logits()));
  }
}

TEST(Question, AnAppendedPieceIsCausalOverMemoryToo) {
  const auto model = TinyModel();
  FixedMemory memory(3 * model->key_value_dim());
  const auto together = MakeQuestion(model);
  const auto one_by_one = MakeQuestion(model);
  const auto tokens = TinyTokens(20);
  const auto start = std::span(tokens).first(10);
  ASSERT_TRUE(together->Prefill({.tokens = start, .memory = &memory}).ok());
  ASSERT_TRUE(one_by_one->Prefill({.tokens = start, .memory = &memory}).ok());
  ASSERT_TRUE(together->Append(std::span(tokens).subspan(10)).ok());
  for (std::size_t i = 10; i < 20; ++i) {
    ASSERT_TRUE(one_by_one->Append(std::span(&tokens[i], 1)).ok());
  }
  EXPECT_THAT(Copy(together->logits()), Pointwise(FloatNear(2e-4F), one_by_one->logits()));
}

TEST(Question, AsksOncePerRoutedLayerInOrder) {
  const auto model = TinyModel();
  FixedMemory memory(2 * model->key_value_dim());
  const auto tokens = TinyTokens(6);
  const std::vector<std::uint8_t> routes = {1, 1, 0, 1, 0, 0};
  const auto question = MakeQuestion(model);
  ASSERT_TRUE(question->Prefill({.tokens = tokens, .routes = routes, .memory = &memory}).ok());
  EXPECT_THAT(memory.layers_, testing::ElementsAre(2, 3));
  EXPECT_THAT(memory.vectors_, testing::ElementsAre(3, 3));
  EXPECT_EQ(question->KeyCount(0), 3 + 6);
  EXPECT_EQ(question->KeyCount(2), 3 + 2 + 6);
}

TEST(Question, StartsOverWithEveryPrefill) {
  const auto model = TinyModel();
  FixedMemory memory(4 * model->key_value_dim());
  const auto tokens = TinyTokens(30);
  const auto fresh = MakeQuestion(model);
  ASSERT_TRUE(fresh->Prefill({.tokens = tokens}).ok());
  const auto used = MakeQuestion(model);
  ASSERT_TRUE(used->Prefill({.tokens = TinyTokens(80, 2), .memory = &memory}).ok());
  ASSERT_TRUE(used->Append(TinyTokens(3)).ok());
  ASSERT_TRUE(used->Prefill({.tokens = tokens}).ok());
  EXPECT_EQ(Copy(used->logits()), Copy(fresh->logits()));
  EXPECT_EQ(used->KeyCount(2), 30);
}

TEST(Question, RoutingLeavesTheContextAlone) {
  const auto model = TinyModel();
  const auto tokens = TinyTokens(12);
  const auto question = MakeQuestion(model);
  ASSERT_TRUE(question->Prefill({.tokens = tokens}).ok());
  const auto routed = question->Route(TinyTokens(40, 9));
  ASSERT_TRUE(routed.ok());
  const auto next = TinyTokens(1, 3);
  ASSERT_TRUE(question->Append(next).ok());

  const auto undisturbed = MakeQuestion(model);
  ASSERT_TRUE(undisturbed->Prefill({.tokens = tokens}).ok());
  ASSERT_TRUE(undisturbed->Append(next).ok());
  EXPECT_EQ(Copy(question->logits()), Copy(undisturbed->logits()));
}

TEST(Question, RouteGivesTheQueriesOfAPrefillWithoutDocuments) {
  class Keeper final : public MemoryProvider {
   public:
    Status Select(const RouterQuery& query, std::vector<MemoryBlock>&) override {
      queries.push_back(query);
      return Status::Ok();
    }
    std::vector<RouterQuery> queries;
  };
  const auto question = MakeQuestion(TinyModel());
  const auto tokens = TinyTokens(9);
  Keeper keeper;
  ASSERT_TRUE(question->Prefill({.tokens = tokens, .memory = &keeper}).ok());
  const auto routed = question->Route(tokens);
  ASSERT_TRUE(routed.ok());
  ASSERT_EQ(routed->size(), keeper.queries.size());
  for (std::size_t i = 0; i < routed->size(); ++i) {
    EXPECT_EQ((*routed)[i].layer, keeper.queries[i].layer);
    EXPECT_EQ((*routed)[i].count, 9);
    EXPECT_THAT((*routed)[i].vectors, Pointwise(FloatNear(1e-6F), keeper.queries[i].vectors));
  }
}

TEST(Question, CannotContinueBeforeAPrefill) {
  const auto question = MakeQuestion(TinyModel());
  const Status status = question->Append(TinyTokens(1));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("Prefill"));
}

TEST(Question, PassesTheProvidersFailureOnAndCanBeUsedAgain) {
  const auto question = MakeQuestion(TinyModel());
  FailingMemory failing;
  const auto tokens = TinyTokens(4);
  EXPECT_EQ(question->Prefill({.tokens = tokens, .memory = &failing}).code(),
            StatusCode::kUnavailable);
  EXPECT_FALSE(question->Append(tokens).ok());
  EXPECT_TRUE(question->Prefill({.tokens = tokens}).ok());
}

TEST(Question, RefusesMemoryThatIsNotWholeRows) {
  const auto question = MakeQuestion(TinyModel());
  FixedMemory memory(33);
  const Status status = question->Prefill({.tokens = TinyTokens(4), .memory = &memory});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("whole rows of 32"));
}

TEST(Question, RefusesAMaskOfAnotherLength) {
  const auto question = MakeQuestion(TinyModel());
  const std::vector<std::uint8_t> routes(3);
  EXPECT_FALSE(question->Prefill({.tokens = TinyTokens(4), .routes = routes}).ok());
  EXPECT_FALSE(question->Route(TinyTokens(4), routes).ok());
}

TEST(Question, RefusesToGrowPastTheContext) {
  const auto question = MakeQuestion(TinyModel());
  ASSERT_TRUE(question->Prefill({.tokens = TinyTokens(100)}).ok());
  const Status status = question->Append(TinyTokens(4000));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("4100 positions"));
}

}  // namespace
}  // namespace kvasir::model
