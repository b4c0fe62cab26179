// Commands as scripts see them: arguments in, lines and exit codes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/console.h"

namespace kvasir::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> KeysOf(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST(Remember, TakesFoldersAndLeavesOutWhatIsNoText) {
  Console console;
  console.File("notes/a.md", "alpha");
  console.File("notes/deep/b.txt", "beta");
  console.File("notes/.hidden/c.txt", "gamma");
  console.File("notes/build/d.txt", "delta");
  console.File("notes/picture.png", std::string("\x89PNG\0\0", 6));
  console.File("notes/empty.txt", "");
  EXPECT_EQ(console.Run({"remember", console.folder() + "/notes"}), 0);
  ASSERT_EQ(console.store.memories.size(), 2U);
  const auto& [id, request] = *console.store.memories.begin();
  EXPECT_EQ(id, console.folder() + "/notes/a.md");
  EXPECT_EQ(request.title, id);
  EXPECT_EQ(request.provenance.source, id);
  EXPECT_EQ(request.provenance.channel, "cli");
  EXPECT_THAT(console.out, HasSubstr("remembered 2 (2 new"));
}

TEST(Remember, TakesJsonLinesFromStandardInput) {
  Console console;
  console.input =
      "{\"id\":\"a\",\"title\":\"T\",\"text\":\"alpha\",\"year\":1999}\n\n"
      "{\"id\":\"b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n";
  EXPECT_EQ(console.Run({"remember", "-", "--json"}), 0);
  EXPECT_EQ(console.store.memories["a"].metadata.at("year"), MetadataValue(std::int64_t{1999}));
  EXPECT_EQ(console.store.memories["b"].messages.front().content, "hi");
  EXPECT_EQ(console.OutJson()["created"], 2);
  EXPECT_EQ(console.OutJson()["results"][0]["id"], "a");
}

TEST(Remember, GoesOnAfterABadLineAndSaysWhichOne) {
  Console console;
  const std::string rows = console.File("rows.jsonl",
                                        "{\"id\":\"a\",\"text\":\"alpha\"}\n{bad\n"
                                        "{\"id\":\"c\",\"text\":\"gamma\"}\n");
  EXPECT_EQ(console.Run({"remember", rows}), 2);
  EXPECT_EQ(console.store.memories.size(), 2U);
  EXPECT_THAT(console.err, HasSubstr("rows.jsonl:2: not JSON"));
}

TEST(Remember, SaysThatTheSameAgainChangesNothing) {
  Console console;
  EXPECT_EQ(console.Run({"remember", "--id", "a", "--text", "alpha"}), 0);
  EXPECT_EQ(console.Run({"remember", "--id", "a", "--text", "alpha", "--json"}), 0);
  EXPECT_EQ(console.OutJson()["unchanged"], 1);
  EXPECT_EQ(console.OutJson()["results"][0]["outcome"], "unchanged");
}

TEST(Remember, KeepsWhatIsDoneWhenInterrupted) {
  Console console;
  std::string rows;
  for (int i = 0; i < 200; ++i) {
    rows += "{\"id\":\"" + std::to_string(i) + "\",\"text\":\"text\"}\n";
  }
  console.store.stop_after_first_batch = &console.stop;
  EXPECT_EQ(console.Run({"remember", console.File("rows.jsonl", rows)}), 130);
  EXPECT_EQ(console.store.batches, 1U);
  EXPECT_THAT(console.err, HasSubstr("64 are remembered and kept"));
}

TEST(Recall, PrintsHitsAsOneObject) {
  Console console;
  console.Run({"remember", "--id", "a", "--title", "T", "--text", "alpha beta"});
  EXPECT_EQ(console.Run({"recall", "--json", "alpha", "beta"}), 0);
  const Json result = console.OutJson();
  EXPECT_THAT(KeysOf(result), ElementsAre("hits", "candidates", "took_ms"));
  EXPECT_THAT(
      KeysOf(result["hits"][0]),
      ElementsAre("id", "number", "version", "title", "text", "score", "latent", "lexical", "span",
                  "segment", "hop", "session", "metadata", "provenance", "created_at"));
  EXPECT_TRUE(result["hits"][0]["latent"].is_null());
}

TEST(Recall, TakesAQueryThatLooksLikeACommandOrAList) {
  Console console;
  EXPECT_EQ(console.Run({"recall", "list"}), 0);
  EXPECT_EQ(console.Run({"recall", "[a,b]"}), 0);
  EXPECT_EQ(console.Run({"recall", "--", "--top-k"}), 0);
  EXPECT_EQ(console.store.recalls[0].query, "list");
  EXPECT_EQ(console.store.recalls[1].query, "[a,b]");
  EXPECT_EQ(console.store.recalls[2].query, "--top-k");
}

TEST(Recall, NeverMakesAStoreAndLetsOthersWrite) {
  Console console;
  console.Run({"recall", "x"});
  EXPECT_FALSE(console.store.opens.back().create);
  EXPECT_TRUE(console.store.opens.back().read_only);
}

TEST(Recall, DoesNotLetAMemoryControlTheTerminal) {
  Console console;
  console.store.memories["a"].text =
      "alpha \x1b]0;title\x07 \xC2\x9B"
      "2J";
  console.Run({"recall", "alpha"});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(console.out, Not(HasSubstr("\xC2\x9B")));
}

TEST(Ask, StreamsTokensAndEndsWithDone) {
  Console console;
  EXPECT_EQ(console.Run({"ask", "--jsonl", "Where?"}), 0);
  std::istringstream lines(console.out);
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) events.push_back(Json::parse(line)["event"]);
  EXPECT_THAT(events, ElementsAre("token", "token", "done"));
}

TEST(Forget, OfIdsDoesNotAsk) {
  Console console;
  EXPECT_EQ(console.Run({"forget", "a", "b"}), 0);
  EXPECT_THAT(console.store.forgets.back().ids, ElementsAre("a", "b"));
}

TEST(Forget, OfIdsNeverWidensToAScope) {
  Console console;
  for (const char* scope : {"--all", "--whole-space"}) {
    EXPECT_EQ(console.Run({"forget", "a", scope, "--yes"}), 2);
  }
  EXPECT_EQ(console.Run({"forget", "a", "--session", "s", "--yes"}), 2);
  EXPECT_THAT(console.store.forgets, IsEmpty());
}

TEST(Forget, OfMoreNeedsYesWhenNobodyCanBeAsked) {
  Console console;
  EXPECT_EQ(console.Run({"forget", "--all"}), 2);
  EXPECT_THAT(console.err, HasSubstr("--yes"));
  ASSERT_EQ(console.store.forgets.size(), 1U);
  EXPECT_TRUE(console.store.forgets.back().dry_run);
  EXPECT_EQ(console.Run({"forget", "--all", "--yes"}), 0);
  EXPECT_FALSE(console.store.forgets.back().dry_run);
}

TEST(Forget, AsksAPersonAndTakesNoForNo) {
  Console console;
  console.terminal = true;
  console.input = "n\n";
  EXPECT_EQ(console.Run({"forget", "--all"}), 130);
  EXPECT_EQ(console.store.forgets.size(), 1U);
  console.input = "y\n";
  EXPECT_EQ(console.Run({"forget", "--all"}), 0);
  EXPECT_FALSE(console.store.forgets.back().dry_run);
}

TEST(Forget, CannotBeConfirmedByTheEnvironment) {
  Console console;
  console.environment["KVASIR_YES"] = "1";
  EXPECT_EQ(console.Run({"forget", "--all"}), 2);
}

TEST(Export, GoesThroughEveryPageAndCanBeImported) {
  Console console;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    console.Run({"remember", "--id", id, "--text", "text"});
  }
  EXPECT_EQ(console.Run({"export"}), 0);
  const std::string rows = console.File("out.jsonl", console.out);
  Console other;
  EXPECT_EQ(other.Run({"import", rows, "--json"}), 0);
  EXPECT_EQ(other.OutJson()["created"], 5);
}

TEST(Get, OfAnUnknownIdSaysSo) {
  Console console;
  EXPECT_EQ(console.Run({"get", "nobody"}), 3);
  EXPECT_EQ(console.err, "kvasir get: no memory 'nobody'\n");
}

TEST(Eval, PrintsEachChannelsFigures) {
  Console console;
  const std::string corpus = console.File("c.jsonl",
                                          "{\"id\":\"1\",\"text\":\"alpha\"}\n"
                                          "{\"id\":\"2\",\"text\":\"beta\"}\n");
  const std::string questions =
      console.File("q.jsonl",
                   "{\"question\":\"alpha\",\"positives\":[{\"id\":\"1\"}]}\n"
                   "{\"question\":\"gamma\",\"positives\":[{\"id\":\"2\"}]}\n");
  EXPECT_EQ(console.Run({"eval", "--json", "--corpus", corpus, "--questions", questions}), 0);
  const Json report = console.OutJson();
  EXPECT_THAT(KeysOf(report), ElementsAre("fused", "latent", "lexical", "questions", "hops"));
  EXPECT_THAT(KeysOf(report["fused"]), ElementsAre("r@1", "r@5", "r@10", "mrr", "ndcg@10",
                                                   "all_gold@10", "ms_per_question"));
  EXPECT_DOUBLE_EQ(report["fused"]["r@5"], 0.5);
  EXPECT_FALSE(console.store.recalls.back().latent);
  EXPECT_THAT(console.opened, IsEmpty()) << "a temporary store, not the user's";
}

TEST(Completion, NamesEveryCommand) {
  Console console;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(console.Run({"completion", shell}), 0);
    for (const Command& command : AllCommands()) {
      EXPECT_THAT(console.out, HasSubstr(command.name));
    }
  }
}

}  // namespace
}  // namespace kvasir::cli
