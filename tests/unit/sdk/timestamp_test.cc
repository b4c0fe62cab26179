#include <gtest/gtest.h>

#include <string>

#include "kvasir/filter.h"

namespace kvasir {
namespace {

std::string Normal(const std::string& text) {
  const auto time = ParseTimestamp(text);
  return time.ok() ? FormatTimestamp(*time) : "error";
}

TEST(Timestamp, ReadsRfc3339) {
  EXPECT_EQ(Normal("2026-05-01T12:00:00Z"), "2026-05-01T12:00:00Z");
  EXPECT_EQ(Normal("2026-05-01t12:00:00.25z"), "2026-05-01T12:00:00.250Z");
  EXPECT_EQ(Normal("2026-05-01 12:00:00.123456789Z"), "2026-05-01T12:00:00.123Z");
  EXPECT_EQ(Normal("2026-05-01T01:30:00+02:00"), "2026-04-30T23:30:00Z");
  EXPECT_EQ(Normal("2026-12-31T23:30:00-00:45"), "2027-01-01T00:15:00Z");
  EXPECT_EQ(Normal("2026-05-01"), "2026-05-01T00:00:00Z");
  EXPECT_EQ(Normal("2024-02-29"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(Normal("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
}

TEST(Timestamp, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2026", "2026-5-1", "2026-02-29", "2026-13-01", "2026-05-01T", "2026-05-01T12:00:00",
        "2026-05-01T24:00:00Z", "2026-05-01T12:60:00Z", "2026-05-01T12:00:60Z",
        "2026-05-01T12:00:00.Z", "2026-05-01T12:00:00.1234567890Z", "2026-05-01T12:00:00+2:00",
        "2026-05-01T12:00:00Zx", "yesterday", " 2026-05-01"}) {
    EXPECT_EQ(Normal(text), "error") << text;
  }
}

}  // namespace
}  // namespace kvasir
