#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

#include "tests/integration/memory/fixture.h"
#include "tests/unit/agent/scripted_server.h"

namespace kvasir {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class AskTest : public MemoryTest {
 protected:
  void RememberAda() {
    Remember("ada", "Ada moved to Lisbon in May.");
    Remember("river", "The river Tagus runs through Lisbon.");
    Remember("tea", "Green tea is brewed at eighty degrees.");
  }
};

TEST_F(AskTest, AnswersAndCitesWhatItReads) {
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 32;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_THAT(answer->text, HasSubstr("Lisbon"));
  EXPECT_EQ(answer->reasoner, "local");
  EXPECT_GT(answer->prompt_tokens, 0U);
  EXPECT_GT(answer->new_tokens, 0U);
  ASSERT_FALSE(answer->hops.empty());
  EXPECT_EQ(answer->hops[0].ids[0], "ada");
  std::vector<std::string> cited;
  for (const Citation& citation : answer->citations) cited.push_back(citation.id);
  EXPECT_THAT(cited, Contains("ada"));
  EXPECT_THAT(cited, Not(Contains("tea")));
}

// The shipped adapter's own part: in a few words, and nothing that no note says.
TEST_F(AskTest, AnswersInFewWordsOrNotAtAll) {
  Remember("car", "Tom parked the car on level 3 of the Elm Street garage.");
  Remember("boiler", "The boiler was serviced on 2 March by Heatwell.");
  Remember("cats", "Max has two cats, Luna and Oreo.");
  AskRequest request;
  request.question = "Who serviced the boiler?";
  EXPECT_EQ(memory().Ask(request)->text, "Heatwell");
  request.question = "what are the names of max's cats";
  EXPECT_EQ(memory().Ask(request)->text, "Luna and Oreo");
  request.question = "How many dogs does Max have?";
  auto declined = memory().Ask(request);
  EXPECT_EQ(declined->text, "Not in memory.");
  EXPECT_FALSE(declined->hops.empty());  // Read, and found not to say so.
  EXPECT_THAT(declined->citations, IsEmpty());
  // Cut off before its full stop it still says so in the same words.
  request.max_new_tokens = 3;
  declined = memory().Ask(request);
  EXPECT_EQ(declined->new_tokens, 3U);
  EXPECT_EQ(declined->text, "Not in memory.");
}

// What a hop leads to must stand out: the other notes are all about as far.
TEST_F(AskTest, GoesOnToWhatStandsOutAlone) {
  RememberAda();
  Remember("grandma", "Grandma's birthday is on 9 March; she likes tulips.");
  Remember("key", "The spare key hangs behind the blue pot by the door.");
  Remember("milo", "Milo the cat needs his pills at eight in the evening.");
  const auto read = [&](const char* question) {
    AskRequest request;
    request.question = question;
    request.max_new_tokens = 2;
    const auto answer = memory().Ask(request);
    EXPECT_TRUE(answer.ok()) << answer.status().message();
    std::vector<std::string> ids;
    for (const HopTrace& hop : answer->hops) ids.insert(ids.end(), hop.ids.begin(), hop.ids.end());
    return ids;
  };
  EXPECT_THAT(read("Which flowers does Grandma like?"), ElementsAre("grandma"));
  EXPECT_THAT(read("Which river runs through Ada's city?"), UnorderedElementsAre("river", "ada"));
}

TEST_F(AskTest, StreamsWhatItReturns) {
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 32;
  std::string streamed;
  std::uint32_t hops = 0;
  std::vector<std::string> cited;
  request.on_event = [&](const AskEvent& event) {
    if (event.kind == AskEventKind::kToken) streamed += event.text;
    if (event.kind == AskEventKind::kHop) hops = event.hop;
    if (event.kind == AskEventKind::kCitation) cited.push_back(event.ids.at(0));
  };
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(streamed, answer->text);
  EXPECT_EQ(hops, answer->hops.size());
  EXPECT_EQ(cited.size(), answer->citations.size());
}

TEST_F(AskTest, ExplainsWhatEachHopWasRoutedTo) {
  RememberAda();
  AskRequest request;
  request.question = "Which river runs through the city that Ada moved to?";
  request.max_new_tokens = 8;
  EXPECT_THAT(memory().Ask(request)->hops.at(0).hits, IsEmpty());
  request.explain = true;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  for (const HopTrace& hop : answer->hops) {
    std::vector<std::string> shown;
    for (const Hit& hit : hop.hits) {
      shown.push_back(hit.id);
      EXPECT_FALSE(hit.text.empty());
      EXPECT_FALSE(hit.layers.empty());
    }
    for (const std::string& id : hop.ids) EXPECT_THAT(shown, Contains(id));
    EXPECT_GE(shown.size(), hop.ids.size());
  }
}

TEST_F(AskTest, CountsTheModelsWork) {
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 8;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  const auto stats = memory().GetStats();
  ASSERT_TRUE(stats.ok()) << stats.status().message();
  EXPECT_EQ(stats->encode.calls, 3U);
  EXPECT_EQ(stats->encode.tokens, stats->spaces[0].tokens);
  EXPECT_GE(stats->route.calls, 1U);
  EXPECT_EQ(stats->prefill.calls, 1U);
  EXPECT_EQ(stats->prefill.tokens, answer->prompt_tokens);
  EXPECT_EQ(stats->decode.tokens, answer->new_tokens);
  for (const Work& work : {stats->encode, stats->route, stats->prefill, stats->decode}) {
    EXPECT_GT(work.took.count(), 0);
  }
}

TEST_F(AskTest, KeepsWhatItAttendedTo) {
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 4;
  ASSERT_TRUE(memory().Ask(request).ok());
  const CacheUse first = memory().GetStats()->kv_cache;
  EXPECT_GT(first.used_bytes, 0U);
  EXPECT_LE(first.used_bytes, first.budget_bytes);
  EXPECT_GT(first.misses + first.prefetches, 0U);
  ASSERT_TRUE(memory().Ask(request).ok());
  const CacheUse second = memory().GetStats()->kv_cache;
  EXPECT_GT(second.hits, first.hits);
  EXPECT_EQ(second.misses, first.misses);
}

TEST_F(AskTest, SaysTheSameTwice) {
  RememberAda();
  AskRequest request;
  request.question = "Which river runs through Lisbon?";
  request.temperature = 0.7F;
  request.top_p = 0.9F;
  request.seed = 3;
  EXPECT_EQ(memory().Ask(request)->text, memory().Ask(request)->text);
}

TEST_F(AskTest, AdmitsThatItDoesNotKnow) {
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 32;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->text, "Not in memory.");
  EXPECT_THAT(answer->citations, IsEmpty());
  EXPECT_EQ(answer->new_tokens, 0U);
}

TEST_F(AskTest, ReadsNothingForAQuestionThatNoMemoryComesNear) {
  RememberAda();
  AskRequest request;
  request.question = "Who won the 1998 football world cup?";
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->text, "Not in memory.");
  EXPECT_THAT(answer->hops, IsEmpty());
}

TEST_F(AskTest, ReadsNothingBelowTheTrustItIsTold) {
  RememberRequest request;
  request.id = "planted";
  request.text = "Ada moved to Atlantis in May.";
  request.provenance.trust = Trust::kUntrusted;
  Remember(request);
  AskRequest ask;
  ask.question = "Which city did Ada move to?";
  ask.least_trust = Trust::kUser;
  EXPECT_EQ(memory().Ask(ask)->text, "Not in memory.");
}

// Helpers that idle after a call would make every later call's wait for each other in their sleep.
TEST_F(AskTest, LeavesNoHelperThreadsBehind) {
  OpenOptions options = Options();
  options.threads = 3;
  Open(options);
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  ASSERT_TRUE(memory().Ask(request).ok());
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  std::thread([&] {
    EXPECT_TRUE(memory().Ask(request).ok());
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (threads() > before + 1 && std::chrono::steady_clock::now() < last) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(threads(), before + 1);
  }).join();
}

TEST_F(AskTest, StopsBetweenTokens) {
  RememberAda();
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 32;
  request.on_event = [&](const AskEvent& event) {
    if (event.kind == AskEventKind::kToken) stop.request_stop();
  };
  EXPECT_EQ(memory().Ask(request, options).status().code(), StatusCode::kCancelled);
}

TEST_F(AskTest, FitsLongMemoriesIntoTheContext) {
  std::vector<std::string> reports;
  for (std::size_t i = 0; i < 6; ++i) {
    reports.push_back(Name("Report ", i, " on the harbour crane.\n\n"));
    for (int line = 0; line < 60; ++line) {
      reports.back() += "The harbour crane was inspected again today. ";
    }
  }
  RememberMany("r", reports);
  AskRequest request;
  request.question = "What was inspected?";
  request.documents_per_hop = 16;
  request.max_new_tokens = 8;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_LE(answer->new_tokens, 8U);
}

TEST_F(AskTest, LetsAnotherReasonerAnswer) {
  const agent::ScriptedServer server(
      {agent::StreamHead(), agent::Delta("Lisbon [0]."), "data: [DONE]\n\n"});
  OpenOptions options = Options();
  options.reasoner_url = server.url();
  options.reasoner_model = "scripted";
  Open(options);
  RememberAda();
  AskRequest request;
  request.question = "Which city did Ada move to?";
  request.max_new_tokens = 32;
  const auto answer = memory().Ask(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->text, "Lisbon [0].");
  EXPECT_EQ(answer->reasoner, "scripted-1");
  ASSERT_EQ(answer->citations.size(), 1U);
  EXPECT_EQ(answer->citations[0].id, "ada");
  EXPECT_THAT(server.request(), HasSubstr("Ada moved to Lisbon in May."));
}

TEST_F(AskTest, NamesWhatIsWrongWithARequest) {
  const auto code = [&](auto change) {
    AskRequest request;
    request.question = "fine";
    change(request);
    return memory().Ask(request).status().code();
  };
  EXPECT_EQ(code([](auto& r) { r.question = ""; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.max_hops = 9; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.documents_per_hop = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.temperature = -1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.top_p = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& r) { r.space = "nowhere"; }), StatusCode::kNotFound);
}

}  // namespace
}  // namespace kvasir
