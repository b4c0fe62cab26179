// Flag > environment > kvasir.toml > default.
#include "sdk/cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/serve.h"
#include "tests/unit/cli/console.h"

namespace kvasir::cli {
namespace {

using ::testing::HasSubstr;

/// The origin of one setting as `config show` tells it, "value|origin".
std::string OriginOf(const std::string& name, Console* console,
                     std::vector<std::string> more_words = {}) {
  std::vector<std::string> words = {"config", "show", "--json"};
  words.insert(words.end(), more_words.begin(), more_words.end());
  EXPECT_EQ(console->Run(words), 0) << console->err;
  const Json shown = console->OutJson();
  for (const Json& row : shown["settings"]) {
    if (row["name"] == name) {
      return row["value"].get<std::string>() + "|" + row["origin"].get<std::string>();
    }
  }
  return "absent";
}

TEST(Settings, TakeTheNearestSource) {
  Console console;
  EXPECT_EQ(OriginOf("store", &console), "~/.local/share/kvasir/store|default");
  const std::string file =
      console.File(".config/kvasir/kvasir.toml", "# mine\nstore = \"from-file\"\n");
  EXPECT_EQ(OriginOf("store", &console), "from-file|" + file + ":2");
  console.environment["KVASIR_STORE"] = "from-environment";
  EXPECT_EQ(OriginOf("store", &console), "from-environment|environment KVASIR_STORE");
  EXPECT_EQ(OriginOf("store", &console, {"--store", "from-flag"}), "from-flag|flag");
}

TEST(Settings, GiveEveryStoreItsMemory) {
  Console console;
  const auto memory = [&](std::vector<std::string> words) {
    EXPECT_EQ(console.Run(words), 0) << console.err;
    return console.store.opens.back().memory_bytes;
  };
  EXPECT_EQ(memory({"recall", "x"}), 0U);
  console.File(".config/kvasir/kvasir.toml", "memory = \"3MiB\"\n");
  EXPECT_EQ(memory({"recall", "x"}), 3U << 20);
  console.environment["KVASIR_MEMORY"] = "2GiB";
  EXPECT_EQ(memory({"list"}), std::uint64_t{2} << 30);
  EXPECT_EQ(memory({"recall", "x", "--memory", "64KiB"}), 64U << 10);
}

TEST(Settings, OfACommandsOwnTableAreCloserThanCommonOnes) {
  Console console;
  console.File(".config/kvasir/kvasir.toml", "top_k = 3\n[recall]\ntop-k = 7\n");
  EXPECT_EQ(console.Run({"recall", "x"}), 0) << console.err;
  EXPECT_EQ(console.store.recalls.back().top_k, 7U);
  console.environment["KVASIR_TOP_K"] = "9";
  console.Run({"recall", "x"});
  EXPECT_EQ(console.store.recalls.back().top_k, 9U);
  console.Run({"recall", "x", "--top-k", "11"});
  EXPECT_EQ(console.store.recalls.back().top_k, 11U);
}

// Every line of it, with its default, is a file that says what is true without it.
TEST(Settings, TemplateNamesThemAllAndCanBeRead) {
  Console console;
  ASSERT_EQ(console.Run({"config", "template"}), 0) << console.err;
  std::istringstream lines(console.out);
  std::string file;
  std::size_t settings = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_setting = line.starts_with("# ") && line.find(" = ") != std::string::npos;
    settings += is_setting ? 1 : 0;
    if (line.starts_with("[")) file += line + "\n";
    // What has no default is left out: an empty text is no time, no filter and no number.
    if (is_setting && !line.ends_with("\"\"") && !line.ends_with("[]"))
      file += line.substr(2) + "\n";
  }
  std::size_t known = 0;
  const auto count = [&](const std::vector<Option>& options) {
    for (const Option& option : options)
      known += option.flag_only || option.name == "config" ? 0 : 1;
  };
  Settings unused;
  count(CommonOptions(&unused));
  for (const Command& command : AllCommands()) count(command.options);
  EXPECT_EQ(settings, known);
  console.File(".config/kvasir/kvasir.toml", file);
  EXPECT_EQ(console.Run({"recall", "x"}), 0) << console.err << file;
  EXPECT_EQ(console.store.recalls.back().top_k, 10U);
  EXPECT_THAT(file, HasSubstr("[serve]\n"));
}

TEST(Settings, OfServeCanAllBeWrittenInAFile) {
  Console console;
  console.File(".config/kvasir/kvasir.toml", R"([serve]
address = "::1"
port = 1234
behind-proxy = true
require-key = true
key-file = "keys"
host-name = ["memory.example", "other.example"]
allow-origin = ["https://app.example"]
access-log = "none"
backup-folder = "copies"
reasoner = "http://127.0.0.1:9"
reasoner-model = "big"
reasoner-key-file = "secret"
)");
  Host host;
  host.environment = [&console](const std::string& name) -> std::optional<std::string> {
    return name == "HOME" ? std::optional(console.folder()) : std::nullopt;
  };
  Settings settings;
  const Command serve = ServeCommand();
  const auto origins = Resolve(serve, CommonOptions(&settings), AllCommands(), {}, host);
  ASSERT_TRUE(origins.ok()) << origins.status().message();
  for (const Option& option : serve.options) {
    const auto found = std::ranges::find_if(*origins, [&option](const Origin& origin) {
      return origin.section == "serve" && origin.name == option.name;
    });
    ASSERT_NE(found, origins->end()) << option.name;
    EXPECT_THAT(found->from, HasSubstr("kvasir.toml:")) << option.name;
  }
}

TEST(Settings, RefuseAKeyThatNobodyKnowsWithItsLine) {
  Console console;
  console.File(".config/kvasir/kvasir.toml", "\nstroe = \"x\"\n");
  EXPECT_EQ(console.Run({"recall", "x"}), 2);
  EXPECT_THAT(console.err, HasSubstr("kvasir.toml:2: no setting is called 'stroe'"));
}

TEST(Settings, NameTheSourceOfABadValue) {
  Console console;
  console.environment["KVASIR_TOP_K"] = "many";
  EXPECT_EQ(console.Run({"recall", "x"}), 2);
  EXPECT_THAT(console.err, HasSubstr("environment KVASIR_TOP_K: 'many' is not a whole number"));
}

TEST(Settings, CannotForgetThroughAFile) {
  Console console;
  console.File(".config/kvasir/kvasir.toml", "[forget]\nyes = true\n");
  EXPECT_EQ(console.Run({"forget", "a"}), 2);
}

TEST(Settings, TakeNoReasonerFromAFolderThatMayBeSomebodyElses) {
  Console console;
  const std::filesystem::path before = std::filesystem::current_path();
  console.File("project/kvasir.toml", "[ask]\nreasoner = \"http://127.0.0.1:9\"\n");
  std::filesystem::current_path(console.folder() + "/project");
  const int code = console.Run({"ask", "x"});
  std::filesystem::current_path(before);
  EXPECT_EQ(code, 4);
  EXPECT_THAT(console.err, HasSubstr("memories would be sent there"));
}

}  // namespace
}  // namespace kvasir::cli
