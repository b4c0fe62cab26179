// `kvasir eval` on a corpus small enough to know the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/cli/process.h"

namespace kvasir::cli {
namespace {

using ::testing::HasSubstr;

class Eval : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ModelIsHere()) GTEST_SKIP() << "no default model here (kvasir model pull)";
    place_.Write("c.jsonl",
                 "{\"id\":\"a\",\"title\":\"Ada\",\"text\":\"Ada moved to Lisbon in May.\"}\n"
                 "{\"id\":\"b\",\"title\":\"Bread\",\"text\":\"The dough rests for a night.\"}\n"
                 "{\"id\":\"c\",\"title\":\"Router\",\"text\":\"Hold the left button.\"}\n");
    place_.Write("q.jsonl",
                 "{\"question\":\"Where did Ada move?\",\"positives\":[{\"id\":\"a\"}]}\n"
                 "{\"question\":\"How long does dough rest?\",\"positives\":[{\"id\":\"b\"}]}\n"
                 "{\"question\":\"xylophone\",\"positives\":[{\"id\":\"c\"}]}\n");
  }

  /// The figure `name` of `channel` in a report of --json.
  static double Figure(const std::string& report, const std::string& channel,
                       const std::string& name) {
    const std::regex pattern("\"" + channel + "\":\\{[^}]*\"" + name + "\":([0-9.]+)");
    std::smatch match;
    return std::regex_search(report, match, pattern) ? std::stod(match[1]) : -1;
  }

  Place place_;
};

TEST_F(Eval, MeasuresTheLexicalChannelAsWorkedOutByHand) {
  const Outcome outcome =
      place_.Run({{"eval", "--json", "--corpus", "c.jsonl", "--questions", "q.jsonl"}, "", {}, ""});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NEAR(Figure(outcome.out, "lexical", "r@1"), 2.0 / 3, 1e-9) << outcome.out;
  EXPECT_NEAR(Figure(outcome.out, "lexical", "mrr"), 2.0 / 3, 1e-9) << outcome.out;
  EXPECT_NEAR(Figure(outcome.out, "latent", "all_gold@10"), 1, 1e-9) << outcome.out;
  EXPECT_GE(Figure(outcome.out, "fused", "r@5"), 2.0 / 3 - 1e-9) << outcome.out;
  EXPECT_FALSE(std::filesystem::exists(place_.folder() / "home" / ".local"))
      << "the user's own store is left alone";
}

TEST_F(Eval, GoesOnWithoutTheRowsThatHoldNoText) {
  place_.Write("gaps.jsonl",
               "{\"id\":\"a\",\"text\":\"Ada moved to Lisbon in May.\"}\n"
               "{\"id\":\"e\",\"title\":\"\",\"text\":\"\"}\n");
  const Outcome outcome = place_.Run(
      {{"eval", "--json", "--corpus", "gaps.jsonl", "--questions", "q.jsonl"}, "", {}, ""});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NEAR(Figure(outcome.out, "lexical", "r@1"), 1.0 / 3, 1e-9) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("gaps.jsonl:2"));
  EXPECT_THAT(outcome.err, HasSubstr("1 of 2 could not be remembered"));
}

TEST_F(Eval, LooksAtAStoreThatItIsGiven) {
  ASSERT_EQ(place_.Run({{"remember", "--store", "s", "c.jsonl"}, "", {}, ""}).exit_code, 0);
  const Outcome outcome = place_.Run(
      {{"eval", "--store", "s", "--questions", "q.jsonl", "--channel", "lexical", "--limit", "2"},
       "",
       {},
       ""});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("lexical   1.000"));
  EXPECT_THAT(outcome.err, HasSubstr("2 questions"));
}

}  // namespace
}  // namespace kvasir::cli
