// The small parts: metrics, progress, texts, JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "sdk/cli/eval_metrics.h"
#include "sdk/cli/json.h"
#include "sdk/cli/line_reader.h"
#include "sdk/cli/memory_row.h"
#include "sdk/cli/option.h"
#include "sdk/cli/output.h"
#include "sdk/cli/progress.h"
#include "sdk/cli/text_files.h"

namespace kvasir::cli {
namespace {

using ::testing::HasSubstr;

TEST(EvalSums, AgreeWithFiguresWorkedOutByHand) {
  EvalSums sums;
  // Gold at ranks 2 and 6, one gold memory missing.
  sums.Add({"x", "a", "y", "z", "v", "b"}, {"a", "b", "c"}, std::chrono::milliseconds(4));
  // Everything right at once.
  sums.Add({"a"}, {"a"}, std::chrono::milliseconds(2));
  const EvalMetrics means = sums.Means();
  const double gain = 1 / std::log2(3.0) + 1 / std::log2(7.0);
  const double ideal = 1 + 1 / std::log2(3.0) + 1 / std::log2(4.0);
  EXPECT_DOUBLE_EQ(means.recall_at_1, (0.0 + 1) / 2);
  EXPECT_DOUBLE_EQ(means.recall_at_5, (1.0 / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(means.recall_at_10, (2.0 / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(means.mrr, (0.5 + 1) / 2);
  EXPECT_DOUBLE_EQ(means.ndcg_at_10, (gain / ideal + 1) / 2);
  EXPECT_DOUBLE_EQ(means.all_gold_at_10, 0.5);
  EXPECT_DOUBLE_EQ(means.ms_per_question, 3);
}

TEST(EvalSums, DoNotCountWhatLiesBeyondTheTenthRank) {
  EvalSums sums;
  std::vector<std::string> ranked(10, "x");
  ranked.push_back("a");
  sums.Add(ranked, {"a"}, {});
  EXPECT_DOUBLE_EQ(sums.Means().recall_at_10, 0);
  EXPECT_DOUBLE_EQ(sums.Means().mrr, 0);
}

TEST(ToBytes, TakesWholeBytesAndBinaryUnits) {
  std::uint64_t bytes = 7;
  const Assign assign = ToBytes(&bytes);
  EXPECT_TRUE(assign("0").ok());
  EXPECT_EQ(bytes, 0U);
  EXPECT_TRUE(assign("1500").ok());
  EXPECT_EQ(bytes, 1500U);
  EXPECT_TRUE(assign("64KiB").ok());
  EXPECT_EQ(bytes, 65536U);
  EXPECT_TRUE(assign("2GiB").ok());
  EXPECT_EQ(bytes, std::uint64_t{2} << 30);
  for (const char* wrong : {"", "GiB", "-1", "1.5GiB", "2GB", "2 GiB", "2gib", "99999999TiB"}) {
    EXPECT_THAT(assign(wrong).message(), HasSubstr("is not a size")) << wrong;
  }
  EXPECT_EQ(bytes, std::uint64_t{2} << 30) << "a mistake changes nothing";
}

TEST(ProgressLine, ShowsRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("remember", 500, 2000, std::chrono::seconds(10), ProgressUnit::kItems),
            "remember 500/2000  25%  50/s  0:30 left");
  EXPECT_EQ(ProgressLine("remember", 1'500'000, 0, std::chrono::seconds(10), ProgressUnit::kBytes),
            "remember 1.5 MB  150 KB/s");
  EXPECT_EQ(ProgressLine("x", 5, 5, std::chrono::seconds(0), ProgressUnit::kItems),
            "x 5/5  100%  0.0/s");
}

TEST(Excerpt, CutsAtCodePointsAndSaysSo) {
  EXPECT_EQ(Excerpt("äöü", 3), "äöü");
  EXPECT_EQ(Excerpt("äöü", 2), "äö…");
  EXPECT_EQ(Excerpt("  one\ntwo", 10), "one…");
  EXPECT_EQ(Excerpt("", 10), "");
}

TEST(IsText, RefusesWhatUtf8DoesNotAllow) {
  EXPECT_TRUE(IsText("plain, äöü, 漢字, 🙂"));
  EXPECT_FALSE(IsText(std::string_view("a\0b", 3)));
  EXPECT_FALSE(IsText("\xC0\xAF"));          // Overlong.
  EXPECT_FALSE(IsText("\xED\xA0\x80"));      // A surrogate.
  EXPECT_FALSE(IsText("\xF4\x90\x80\x80"));  // Beyond U+10FFFF.
  EXPECT_FALSE(IsText("\xE2\x82"));          // Cut off.
}

TEST(ParseJson, RefusesWhatCannotBeKept) {
  EXPECT_THAT(ParseJson(std::string(100'000, '[')).status().message(), HasSubstr("64 levels"));
  EXPECT_THAT(ParseJson("{\"a\":18446744073709551616}").status().message(), HasSubstr("64 bits"));
  EXPECT_FALSE(ParseJson("{\"a\":\"\xFF\"}").ok());
  EXPECT_FALSE(ParseJson("{} {}").ok());
  EXPECT_TRUE(ParseJson("{\"[[[\":\"\\\"[\",\"n\":[18446744073709551615,-1.5e300]}").ok());
}

TEST(LineReader, PassesOverALineThatIsTooLong) {
  std::istringstream stream("short\n" + std::string(kMaxMemoryBytes + 1, 'x') + "\nlast");
  LineReader reader(&stream);
  std::string line;
  ASSERT_TRUE(reader.Next(&line));
  EXPECT_EQ(line, "short");
  ASSERT_TRUE(reader.Next(&line));
  EXPECT_TRUE(reader.too_long());
  ASSERT_TRUE(reader.Next(&line));
  EXPECT_EQ(line, "last");
  EXPECT_FALSE(reader.too_long());
  EXPECT_FALSE(reader.Next(&line));
}

TEST(MemoryRow, MayLowerTrustButNotRaiseIt) {
  const auto trust = [](const std::string& word) {
    const auto row = ParseMemoryRow("{\"text\":\"t\",\"provenance\":{\"trust\":\"" + word + "\"}}",
                                    RememberRequest{});
    return row->request.provenance.trust;
  };
  EXPECT_EQ(trust("untrusted"), Trust::kUntrusted);
  EXPECT_EQ(trust("operator"), Trust::kUser);
}

TEST(MemoryRow, CountsFieldsThatMetadataCannotHold) {
  const auto row =
      ParseMemoryRow("{\"text\":\"t\",\"v\":[0.5],\"tags\":[\"a\"]}", RememberRequest{});
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->left_out, 1U);
  EXPECT_EQ(row->request.metadata.count("tags"), 1U);
}

TEST(MemoryRow, NamesTheFieldAtFault) {
  EXPECT_THAT(ParseMemoryRow("{\"text\":1}", {}).status().message(), HasSubstr("\"text\""));
  EXPECT_THAT(ParseMemoryRow("{\"text\":\"t\",\"expires_at\":\"soon\"}", {}).status().message(),
              HasSubstr("\"expires_at\""));
  EXPECT_THAT(ParseMemoryRow("{\"id\":\"a\"}", {}).status().message(), HasSubstr("neither"));
}

}  // namespace
}  // namespace kvasir::cli
