#include "storage/filter.h"

#include <gtest/gtest.h>

#include <limits>

namespace kvasir::storage {
namespace {

using Op = Filter::Op;

Filter Leaf(std::string field, Op op, std::vector<MetadataValue> values) {
  Filter filter;
  filter.op = op;
  filter.field = std::move(field);
  filter.values = std::move(values);
  return filter;
}

Filter Branch(Op op, std::vector<Filter> children) {
  Filter filter;
  filter.op = op;
  filter.children = std::move(children);
  return filter;
}

MemoryRecord Record() {
  MemoryRecord record;
  record.id = "m1";
  record.title = "Straße nach LISBOA";
  record.created_at = Timestamp(std::chrono::milliseconds(1'700'000'000'000));
  record.metadata = {{"age", std::int64_t{5}},
                     {"big", std::int64_t{9007199254740993}},
                     {"half", 0.5},
                     {"topic", std::string("home")},
                     {"tags", std::vector<std::string>{"Red", "green"}},
                     {"flag", true},
                     {"nothing", nullptr}};
  return record;
}

bool Matches(const Filter& filter) {
  const auto compiled = CompiledFilter::Compile(filter);
  EXPECT_TRUE(compiled.ok()) << compiled.status().message();
  return compiled.ok() && compiled->Matches(Record());
}

TEST(Filter, ComparesNumbersWithNumbersExactly) {
  EXPECT_TRUE(Matches(Leaf("age", Op::kEq, {5.0})));
  EXPECT_TRUE(Matches(Leaf("age", Op::kGt, {4.5})));
  EXPECT_FALSE(Matches(Leaf("age", Op::kGt, {std::int64_t{5}})));
  EXPECT_TRUE(Matches(Leaf("half", Op::kLt, {std::int64_t{1}})));
  EXPECT_TRUE(Matches(Leaf("big", Op::kGt, {9007199254740992.0}))) << "doubles would round";
  EXPECT_FALSE(Matches(Leaf("age", Op::kGte, {std::numeric_limits<double>::quiet_NaN()})));
}

TEST(Filter, FindsOtherTypesUnequal) {
  EXPECT_FALSE(Matches(Leaf("age", Op::kEq, {std::string("5")})));
  EXPECT_TRUE(Matches(Leaf("age", Op::kNe, {std::string("5")})));
  EXPECT_FALSE(Matches(Leaf("age", Op::kLt, {std::string("9")})));
  EXPECT_TRUE(Matches(Leaf("flag", Op::kEq, {true})));
  EXPECT_TRUE(Matches(Leaf("nothing", Op::kEq, {nullptr})));
}

TEST(Filter, AnAbsentFieldSatisfiesOnlyNeNinAndNotExists) {
  const std::vector<MetadataValue> value = {std::string("x")};
  for (const Op op :
       {Op::kEq, Op::kIn, Op::kGt, Op::kGte, Op::kLt, Op::kLte, Op::kContains, Op::kIcontains}) {
    EXPECT_FALSE(Matches(Leaf("none", op, value)));
    EXPECT_FALSE(Matches(Leaf("session", op, value))) << "empty built-in fields are absent";
  }
  EXPECT_TRUE(Matches(Leaf("none", Op::kNe, value)));
  EXPECT_TRUE(Matches(Leaf("none", Op::kNin, value)));
  EXPECT_TRUE(Matches(Leaf("none", Op::kExists, {false})));
  EXPECT_FALSE(Matches(Leaf("none", Op::kExists, {true})));
  EXPECT_TRUE(Matches(Leaf("topic", Op::kExists, {true})));
}

TEST(Filter, ContainsAsksForElementsAndSubstrings) {
  EXPECT_TRUE(Matches(Leaf("tags", Op::kContains, {std::string("Red")})));
  EXPECT_FALSE(Matches(Leaf("tags", Op::kContains, {std::string("Re")})));
  EXPECT_TRUE(Matches(Leaf("tags", Op::kIcontains, {std::string("GREEN")})));
  EXPECT_TRUE(Matches(Leaf("title", Op::kIcontains, {std::string("lisboa")})));
  EXPECT_FALSE(Matches(Leaf("title", Op::kContains, {std::string("lisboa")})));
  EXPECT_TRUE(Matches(Leaf("title", Op::kIcontains, {std::string("STRAẞE")})));
}

TEST(Filter, FoldsCaseSimply) {
  EXPECT_EQ(FoldCase("ÀΣς"), "àσσ");
  EXPECT_EQ(FoldCase("ß"), "ß") << "full folding would give ss";
  EXPECT_EQ(FoldCase("ẞ"), "ß");
  EXPECT_EQ(FoldCase("İ"), "İ");
}

TEST(Filter, ComparesTimesAsTimes) {
  EXPECT_TRUE(Matches(Leaf("created_at", Op::kEq, {std::string("2023-11-14T23:13:20+01:00")})));
  EXPECT_TRUE(Matches(Leaf("created_at", Op::kLt, {std::string("2024-01-01")})));
  EXPECT_FALSE(Matches(Leaf("valid_from", Op::kLt, {std::string("2024-01-01")})));
  EXPECT_FALSE(CompiledFilter::Compile(Leaf("created_at", Op::kLt, {std::string("soon")})).ok());
}

TEST(Filter, JoinsWithAndOrNot) {
  const Filter yes = Leaf("topic", Op::kEq, {std::string("home")});
  const Filter no = Leaf("topic", Op::kEq, {std::string("work")});
  EXPECT_TRUE(Matches(Branch(Op::kAnd, {yes, Branch(Op::kOr, {no, yes})})));
  EXPECT_FALSE(Matches(Branch(Op::kAnd, {yes, no})));
  EXPECT_TRUE(Matches(Branch(Op::kNot, {no})));
  EXPECT_TRUE(Matches(Branch(Op::kAnd, {})));
  EXPECT_FALSE(Matches(Branch(Op::kOr, {})));
}

TEST(Filter, RefusesWhatItCannotMean) {
  Filter deep = Leaf("a", Op::kEq, {true});
  for (int i = 0; i < kMaxFilterDepth; ++i) deep = Branch(Op::kNot, {deep});
  const Filter wide =
      Branch(Op::kAnd, std::vector<Filter>(kMaxFilterNodes, Leaf("a", Op::kEq, {true})));
  for (const Filter& bad : {deep, wide, Branch(Op::kNot, {}), Leaf("", Op::kEq, {true}),
                            Leaf("a", Op::kEq, {}), Leaf("a", Op::kExists, {std::string("yes")}),
                            Leaf("a", Op::kContains, {std::int64_t{1}})}) {
    EXPECT_EQ(CompiledFilter::Compile(bad).status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace kvasir::storage
