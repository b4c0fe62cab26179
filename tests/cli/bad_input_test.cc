// Each row of the table: one clear line, its exit code, nothing on standard output, nothing lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>

#include "tests/cli/bad_input_cases.h"

namespace kvasir::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kKept =
    "{\"id\":\"kept\",\"title\":\"T\",\"text\":\"Ada lives in Lisbon.\"}\n"
    "{\"id\":\"also\",\"text\":\"The Tagus runs through Lisbon.\"}\n";

Outcome InStore(const Place& place, std::vector<std::string> words, std::string input = "") {
  words.insert(words.begin(), {"--store", "store"});
  return place.Run({std::move(words), std::move(input), {}, ""});
}

class BadInputs : public ::testing::TestWithParam<BadInput> {
 protected:
  static void SetUpTestSuite() {
    if (!ModelIsHere()) return;
    whole_ = std::make_unique<Place>();
    const Outcome made = InStore(*whole_, {"remember", "-"}, kKept);
    ASSERT_EQ(made.exit_code, 0) << made.err;
    exported_ = InStore(*whole_, {"export", "--quiet"}).out;
  }
  static void TearDownTestSuite() { whole_.reset(); }

  void SetUp() override {
    if (!ModelIsHere()) GTEST_SKIP() << "no default model here (kvasir model pull)";
    std::filesystem::copy(whole_->store(), place_.store(),
                          std::filesystem::copy_options::recursive);
  }

  inline static std::unique_ptr<Place> whole_;
  inline static std::string exported_;
  Place place_;
};

TEST_P(BadInputs, GetOneClearLineAndHarmNothing) {
  const BadInput& row = GetParam();
  if (row.prepare != nullptr) row.prepare(place_);
  const Outcome outcome = place_.Run(row.invocation);
  EXPECT_EQ(outcome.exit_code, row.exit_code) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  EXPECT_TRUE(outcome.err.starts_with("kvasir")) << outcome.err;
  EXPECT_LE(outcome.err.size(), 600U) << "a line, not an essay";
  EXPECT_TRUE(std::regex_search(outcome.err, std::regex(row.error))) << outcome.err;
  EXPECT_EQ(InStore(place_, {"export", "--quiet"}).out, exported_) << "the store is as it was";
}

INSTANTIATE_TEST_SUITE_P(Table, BadInputs, ::testing::ValuesIn(BadInputCases()),
                         [](const auto& row) { return row.param.name; });

TEST(BadInputTable, HasAtLeast60Rows) { EXPECT_GE(BadInputCases().size(), 60U); }

class Stores : public BadInputs {};

TEST_F(Stores, HeldByAnotherProcessNameItsPid) {
  WaitingProcess holder(place_, {"--store", "store", "remember", "--format", "jsonl", "-"});
  // It holds the store from when it opens it until its input ends. Reading takes no lock, so it may
  // pass the time until then.
  const std::string pid = std::to_string(holder.pid());
  for (int tries = 0; tries < 400; ++tries) {
    std::ifstream lock(place_.folder() / "store" / "LOCK");
    if (std::string(std::istreambuf_iterator<char>(lock), {}).find(pid) != std::string::npos) break;
    (void)InStore(place_, {"stats"});
  }
  const Outcome refused = InStore(place_, {"compact"});
  EXPECT_EQ(refused.exit_code, 5) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(pid));
  const Outcome read = InStore(place_, {"export", "--quiet"});
  EXPECT_EQ(read.out, exported_) << "reading goes on: " << read.err;
}

TEST_F(Stores, InAReadOnlyFolderAreReadAndSayWhyTheyCannotBeWritten) {
  if (!CanMount()) GTEST_SKIP() << "no mount namespaces for this user";
  Invocation invocation{{"--store", "store", "remember", "--text", "x"}, "", {}, ""};
  invocation.starter = WithMounts("mount --bind store store && mount -o remount,bind,ro store");
  const Outcome refused = place_.Run(invocation);
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("Read-only file system"));
  invocation.words = {"--store", "store", "export", "--quiet"};
  const Outcome read = place_.Run(invocation);
  EXPECT_EQ(read.out, exported_) << read.err;
}

TEST_F(Stores, OnAFullDiskRefuseToRememberLoseNothingAndCanBeForgotten) {
  if (!CanMount()) GTEST_SKIP() << "no mount namespaces for this user";
  // Smaller than the low-water mark.
  const std::string full =
      "mkdir -p disk && mount -t tmpfs -o size=64m none disk && cp -a store disk";
  Invocation invocation{{"--store", "disk/store", "remember", "--text", "x"}, "", {}, ""};
  invocation.starter = WithMounts(full);
  const Outcome refused = place_.Run(invocation);
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("bytes are free"));
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
  invocation.starter =
      WithMounts(full + " && \"$0\" --store disk/store remember --text x 2>/dev/null; true");
  invocation.words = {"--store", "disk/store", "export", "--quiet"};
  EXPECT_THAT(place_.Run(invocation).out, HasSubstr(exported_)) << "nothing was lost";
  invocation.words = {"--store", "disk/store", "forget", "--all", "--yes"};
  const Outcome forgotten = place_.Run(invocation);
  EXPECT_EQ(forgotten.exit_code, 0) << forgotten.err;
}

TEST_F(Stores, KeepWhatAnInterruptedCommandHadRemembered) {
  std::string rows;
  for (int i = 0; i < 64; ++i) {
    rows += "{\"id\":\"row" + std::to_string(i) + "\",\"text\":\"a short text\"}\n";
  }
  WaitingProcess writer(place_, {"--store", "store", "remember", "--format", "jsonl", "-"});
  writer.Feed(rows);
  Outcome seen;
  for (int tries = 0; tries < 400 && seen.exit_code != 0; ++tries) {
    seen = InStore(place_, {"get", "row63"});
  }
  ASSERT_EQ(seen.exit_code, 0) << "the full batch was never committed: " << seen.err;
  writer.Feed("{\"id\":\"unsent\",\"text\":\"a batch that is not full\"}\n");
  writer.Signal(SIGINT);
  EXPECT_EQ(writer.Wait(), 130) << "although its input is still open";
  EXPECT_EQ(InStore(place_, {"get", "row63"}).exit_code, 0);
  EXPECT_EQ(InStore(place_, {"verify"}).exit_code, 0);
}

TEST_F(Stores, WithOneChangedByteAreReportedAsCorrupt) {
  // The middle of the largest file of rows: data, not slack.
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place_.store())) {
    const std::string kind = entry.path().extension().string();
    if ((kind == ".sst" || kind == ".log") &&
        (largest.empty() || entry.file_size() > std::filesystem::file_size(largest))) {
      largest = entry.path();
    }
  }
  std::string bytes = ReadFile(largest);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  place_.Write(std::filesystem::relative(largest, place_.folder()), bytes);
  const Outcome outcome = InStore(place_, {"verify"});
  EXPECT_EQ(outcome.exit_code, 6) << largest << ": " << outcome.err;
}

}  // namespace
}  // namespace kvasir::cli
