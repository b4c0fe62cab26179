#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using RememberTest = MemoryTest;

TEST_F(RememberTest, ReadsItsOwnWrite) {
  const RememberReceipt receipt = Remember("", "Ada moved to Lisbon in May.");
  EXPECT_EQ(receipt.outcome, RememberOutcome::kCreated);
  EXPECT_EQ(receipt.segments, 1U);
  EXPECT_FALSE(receipt.id.empty());
  EXPECT_THAT(Recall("Where does Ada live?"), ElementsAre(receipt.id));
  const auto read = memory().Get(receipt.id);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->text, "Ada moved to Lisbon in May.");
  EXPECT_EQ(read->tokens, receipt.tokens);
}

TEST_F(RememberTest, OfTheSameTextTwiceIsANoOp) {
  Remember("a", "The kettle is on the left shelf.");
  const auto commits = memory().GetStats()->commits;
  const RememberReceipt again = Remember("a", "The kettle is on the left shelf.");
  EXPECT_EQ(again.outcome, RememberOutcome::kUnchanged);
  EXPECT_EQ(again.version, 1U);
  EXPECT_EQ(memory().GetStats()->commits, commits);
}

TEST_F(RememberTest, OfAnotherTextUnderTheIdIsANewVersion) {
  Remember("a", "The kettle is on the left shelf.");
  const RememberReceipt edited = Remember("a", "The teapot is in the cupboard.");
  EXPECT_EQ(edited.outcome, RememberOutcome::kUpdated);
  EXPECT_EQ(edited.version, 2U);
  RecallRequest lexical;
  lexical.query = "kettle";
  lexical.latent = false;
  EXPECT_THAT(Recall(lexical), IsEmpty());
  EXPECT_EQ(memory().Recall(Query("teapot"))->hits[0].text, "The teapot is in the cupboard.");
}

TEST_F(RememberTest, KeepsTheHistoryOfEdits) {
  Remember("a", "Version one.");
  ASSERT_TRUE(memory().Update(EditText("a", "Version two.")).ok());
  const auto history = memory().History("a");
  ASSERT_TRUE(history.ok()) << history.status().message();
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ((*history)[0].text, "Version one.");
  EXPECT_EQ((*history)[1].text, "Version two.");
}

TEST_F(RememberTest, EditsMetadataWithoutLosingTheLatentChannel) {
  Remember("a", "Ada moved to Lisbon in May.");
  Recall("warm the index up");
  UpdateRequest update;
  update.id = "a";
  update.metadata = Metadata{{"topic", "home"}};
  const auto edited = memory().Update(update);
  ASSERT_TRUE(edited.ok()) << edited.status().message();
  RecallRequest request;
  request.query = "Where does Ada live?";
  request.lexical = false;
  const auto found = memory().Recall(request);
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->hits.size(), 1U);
  EXPECT_EQ(found->hits[0].metadata.at("topic"), MetadataValue("home"));
  EXPECT_EQ(found->hits[0].version, 2U);
}

TEST_F(RememberTest, RefusesAStaleEdit) {
  const RememberReceipt receipt = Remember("a", "One.");
  UpdateRequest update = EditText("a", "Two.");
  update.if_match = "0000";
  EXPECT_EQ(memory().Update(update).status().code(), StatusCode::kConflict);
  update.if_match = receipt.content_hash;
  EXPECT_TRUE(memory().Update(update).ok());
}

TEST_F(RememberTest, RefusesAnEditThatIsStaleInItsMetadataOnly) {
  const RememberReceipt first = Remember("a", "One.");
  UpdateRequest update;
  update.id = "a";
  update.metadata = Metadata{{"topic", "home"}};
  update.if_match = Etag(first.number, first.version);
  const auto edited = memory().Update(update);
  ASSERT_TRUE(edited.ok()) << edited.status().message();
  EXPECT_EQ(edited->content_hash, first.content_hash);
  update.metadata = Metadata{{"topic", "work"}};
  EXPECT_EQ(memory().Update(update).status().code(), StatusCode::kConflict);
  update.if_match = Etag(edited->number, edited->version);
  EXPECT_TRUE(memory().Update(update).ok());
}

TEST_F(RememberTest, LosesNoneOfTwoEditsAtOnce) {
  Remember("a", "One.");
  constexpr int kEdits = 20;
  const auto edit = [this](bool title) {
    for (int i = 0; i < kEdits; ++i) {
      UpdateRequest update;
      update.id = "a";
      if (title) update.title = "title " + std::to_string(i);
      if (!title) update.metadata = Metadata{{"n", std::int64_t{i}}};
      while (memory().Update(update).status().code() == StatusCode::kConflict) {
      }
    }
  };
  std::thread titles(edit, true);
  edit(false);
  titles.join();
  const auto last = memory().Get("a");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->title, Name("title ", kEdits - 1));
  EXPECT_EQ(last->metadata.at("n"), MetadataValue(std::int64_t{kEdits - 1}));
}

TEST_F(RememberTest, WithAnIdempotencyKeyIsDoneOnce) {
  RememberRequest request;
  request.text = "The kettle is on the left shelf.";
  request.idempotency_key = "k1";
  const auto first = memory().Remember(request);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_FALSE(first->replayed);
  ASSERT_TRUE(memory().Update(EditText(first->id, "Moved since.")).ok());
  const auto again = memory().Remember(request);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->id, first->id);
  EXPECT_EQ(again->version, 1U);
  EXPECT_EQ(again->outcome, RememberOutcome::kCreated);
  EXPECT_EQ(memory().Get(first->id)->text, "Moved since.");
  EXPECT_EQ(memory().GetStats()->spaces[0].memories, 1U);
  RememberRequest other = request;
  other.metadata["topic"] = std::string("kitchen");
  EXPECT_EQ(memory().Remember(other).status().code(), StatusCode::kKeyReused);
}

TEST_F(RememberTest, KeepsAnIdempotencyKeyThatChangedNothing) {
  Remember("a", "The kettle is on the left shelf.");
  RememberRequest request;
  request.id = "a";
  request.text = "The kettle is on the left shelf.";
  request.idempotency_key = "k1";
  EXPECT_EQ(memory().Remember(request)->outcome, RememberOutcome::kUnchanged);
  request.text = "The teapot is in the cupboard.";
  EXPECT_EQ(memory().Remember(request).status().code(), StatusCode::kKeyReused);
}

TEST_F(RememberTest, DoesOnceWhatManyThreadsAskForAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> ids(8);
  for (std::string& id : ids) {
    threads.emplace_back([this, &id] {
      RememberRequest request;
      request.text = "The kettle is on the left shelf.";
      request.idempotency_key = "k1";
      const auto receipt = memory().Remember(request);
      if (receipt.ok()) id = receipt->id;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_FALSE(ids[0].empty());
  EXPECT_EQ(memory().GetStats()->spaces[0].memories, 1U);
}

TEST_F(RememberTest, DoesOnceWhatComesTwiceInABatch) {
  std::vector<RememberRequest> requests(2);
  for (RememberRequest& request : requests) {
    request.text = "The kettle is on the left shelf.";
    request.idempotency_key = "k1";
  }
  const auto receipts = memory().RememberBatch(requests);
  ASSERT_TRUE(receipts[0].ok() && receipts[1].ok());
  EXPECT_EQ(receipts[0]->id, receipts[1]->id);
  EXPECT_TRUE(receipts[1]->replayed);
}

TEST_F(RememberTest, SplitsALongTextAndFindsItsPart) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    text += Name("Paragraph ", i, " speaks of nothing in particular, at length.\n\n");
  }
  text += "The safe's combination is written under the blue lamp.\n";
  const RememberReceipt receipt = Remember("long", text);
  EXPECT_GT(receipt.segments, 2U);
  const auto found = memory().Recall(Query("Where is the combination of the safe?"));
  ASSERT_TRUE(found.ok());
  const Hit& hit = found->hits.at(0);
  EXPECT_NE(hit.text.find("blue lamp"), std::string::npos);
  EXPECT_EQ(hit.text, text.substr(hit.span.begin, hit.span.end - hit.span.begin));
  EXPECT_EQ(hit.segment, receipt.segments - 1);
}

TEST_F(RememberTest, KeepsSpeakersAndTimesOfAConversation) {
  RememberRequest request;
  request.id = "chat";
  request.messages = {{"user", "I bought a red bicycle.", "Ada", clock().Now()},
                      {"assistant", "Enjoy the ride!", "", std::nullopt}};
  Remember(request);
  const auto read = memory().Get("chat");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->messages, request.messages);
  EXPECT_NE(read->text.find("Ada ("), std::string::npos);
  EXPECT_THAT(Recall("Who bought a bicycle?"), ElementsAre("chat"));
}

TEST_F(RememberTest, GivesEachOfABatchItsReceiptOrError) {
  std::vector<RememberRequest> requests(4);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = Name("r", i % 3);  // The fourth edits the first.
    requests[i].text = Name("Number ", i, " of the batch.");
  }
  requests[1].text = "bad \xFF byte";
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  CallOptions options;
  options.progress = [&](const Progress& progress) {
    EXPECT_GE(progress.done, done);
    done = progress.done;
    total = progress.total;
  };
  const auto receipts = memory().RememberBatch(requests, options);
  ASSERT_EQ(receipts.size(), 4U);
  EXPECT_TRUE(receipts[0].ok());
  EXPECT_EQ(receipts[1].status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(receipts[1].status().message().find("4"), std::string::npos)
      << receipts[1].status().message();
  EXPECT_TRUE(receipts[2].ok());
  ASSERT_TRUE(receipts[3].ok()) << receipts[3].status().message();
  EXPECT_EQ(receipts[3]->outcome, RememberOutcome::kUpdated);
  EXPECT_EQ(done, total);
}

TEST_F(RememberTest, KeepsWhatIsDoneWhenCancelled) {
  std::vector<RememberRequest> requests(300);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = Name("m", i);
    requests[i].text = Name("Note ", i, ": the quick brown fox jumps over the dog.");
  }
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  options.progress = [&](const Progress& progress) {
    if (progress.done > progress.total / 2) stop.request_stop();
  };
  const auto receipts = memory().RememberBatch(requests, options);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    const bool there = memory().Get(requests[i].id).ok();
    EXPECT_EQ(there, receipts[i].ok()) << i;
    if (!there) {
      EXPECT_EQ(receipts[i].status().code(), StatusCode::kCancelled);
    }
    kept += there ? 1 : 0;
  }
  EXPECT_GT(kept, 0U);
  EXPECT_LT(kept, requests.size());
  EXPECT_TRUE(memory().Verify()->problems.empty());
}

TEST_F(RememberTest, MakesExpiredMemoriesInvisibleAtOnceAndPurgesThem) {
  RememberRequest request;
  request.id = "soon";
  request.text = "The parking ticket ends at noon.";
  request.expires_at = clock().Now() + 1min;
  Remember(request);
  EXPECT_THAT(Recall("parking ticket"), ElementsAre("soon"));
  clock().Advance(2min);
  EXPECT_THAT(Recall("parking ticket"), IsEmpty());
  EXPECT_EQ(memory().Get("soon").status().code(), StatusCode::kNotFound);
  const auto purged = memory().Compact();
  ASSERT_TRUE(purged.ok()) << purged.status().message();
  EXPECT_EQ(purged->memories, 1U);
  EXPECT_TRUE(purged->physical);
  EXPECT_EQ(Remember("soon", "Another ticket.").outcome, RememberOutcome::kCreated);
}

TEST_F(RememberTest, GivesTheIdOfAnExpiredMemoryAway) {
  RememberRequest request;
  request.id = "soon";
  request.text = "The parking ticket ends at noon.";
  request.expires_at = clock().Now() + 1min;
  Remember(request);
  clock().Advance(2min);
  EXPECT_EQ(Remember("soon", "Another ticket.").outcome, RememberOutcome::kCreated);
  EXPECT_THAT(Recall("ticket"), ElementsAre("soon"));
}

struct BadRequest {
  RememberRequest request;
  std::string says;
};

TEST_F(RememberTest, NamesWhatIsWrongWithARequest) {
  const auto with = [](auto change) {
    RememberRequest request;
    request.text = "fine";
    change(request);
    return request;
  };
  const std::vector<BadRequest> bad = {
      {with([](auto& r) { r.text = ""; }), "text: empty"},
      {with([](auto& r) { r.text = std::string("a\0b", 3); }), "offset 1"},
      {with([](auto& r) { r.text = "ab\xC3"; }), "text"},
      {with([](auto& r) { r.title = "ab\xFF"; }), "title"},
      {with([](auto& r) { r.title = std::string(5000, 't'); }), "title"},
      {with([](auto& r) { r.id = std::string(600, 'i'); }), "id"},
      {with([](auto& r) { r.session = std::string(600, 's'); }), "session"},
      {with([](auto& r) { r.space = ""; }), "space"},
      {with([](auto& r) { r.metadata[std::string(200, 'k')] = "v"; }), "metadata"},
      {with([](auto& r) {
         r.messages = {{"user", "x", "", std::nullopt}};
       }),
       "not both"},
      {with([](auto& r) {
         r.text = "";
         r.messages = {{"user", "x\xFE", "", std::nullopt}};
       }),
       "messages[0].content"},
      {with([](auto& r) { r.text = std::string((std::size_t{64} << 20) + 1, 'x'); }), "text"},
  };
  for (const BadRequest& row : bad) {
    const auto receipt = memory().Remember(row.request);
    ASSERT_FALSE(receipt.ok()) << row.says;
    EXPECT_EQ(receipt.status().code(), StatusCode::kInvalidArgument) << row.says;
    EXPECT_NE(receipt.status().message().find(row.says), std::string::npos)
        << receipt.status().message();
  }
  EXPECT_EQ(memory().List({})->memories.size(), 0U);
}

TEST_F(RememberTest, TurnsACallbacksExceptionIntoAStatus) {
  CallOptions options;
  options.progress = [](const Progress&) { throw std::runtime_error("from the caller"); };
  RememberRequest request;
  request.text = "Whatever.";
  const auto receipt = memory().Remember(request, options);
  EXPECT_EQ(receipt.status().code(), StatusCode::kInternal);
  EXPECT_TRUE(memory().Remember(request).ok());
}

}  // namespace
}  // namespace kvasir
