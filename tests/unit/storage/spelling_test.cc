#include "storage/spelling.h"

#include <gmock/gmock.h>

#include <set>

namespace kvasir::storage {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

// Damerau's distance with adjacent swaps, by the textbook.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

TEST(Spelling, GivesAllThatAreOneEditAwayOnce) {
  for (const std::string_view word : {"lisbon", "aaaa", "zebra"}) {
    const std::vector<std::string> near = NearSpellings(word);
    EXPECT_EQ(std::set<std::string>(near.begin(), near.end()).size(), near.size());
    for (const std::string& spelling : near) EXPECT_EQ(Distance(word, spelling), 1U) << spelling;
  }
  const std::vector<std::string> near = NearSpellings("lisbon");
  for (const char* spelling :
       {"lisbo", "lisbonn", "lisbom", "libson", "isbon", "xlisbon", "zisbon"}) {
    EXPECT_THAT(near, Contains(spelling));
  }
  // Letters less and swapped, others in each place, more in each: 6 + 5 + 6 * 25 + 7 * 26, but the
  // six ways to double a letter that stands there.
  EXPECT_EQ(near.size(), 6U + 5 + 150 + 182 - 6);
}

TEST(Spelling, BeginsWithThoseThatBeginAlike) {
  const std::vector<std::string> near = NearSpellings("lisbon");
  const auto starts = [](const std::string& spelling) { return spelling.front() == 'l'; };
  EXPECT_TRUE(std::ranges::is_partitioned(near, starts));
  EXPECT_TRUE(starts(near.front()));
  EXPECT_FALSE(starts(near.back()));
}

TEST(Spelling, LeavesShortWordsNumbersAndOtherScriptsAlone) {
  for (const char* word : {"", "dog", "2026", "w123", "caf\u00e9s", "dog's", "水道水道"}) {
    EXPECT_THAT(NearSpellings(word), IsEmpty()) << word;
  }
  EXPECT_THAT(NearSpellings(std::string(24, 'a')), Not(IsEmpty()));
  EXPECT_THAT(NearSpellings(std::string(25, 'a')), IsEmpty());
}

}  // namespace
}  // namespace kvasir::storage
