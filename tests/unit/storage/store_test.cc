#include "storage/store.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.clock = &clock_;
    Reopen();
    space_ = *store_->EnsureSpace("default");
  }
  void Reopen() {
    store_.reset();
    store_ = OpenStore(folder_ / "store", options_);
    ASSERT_NE(store_, nullptr);
  }
  TempFolder folder_;
  TestClock clock_;
  StoreOptions options_ = TestOptions();
  std::unique_ptr<Store> store_;
  SpaceId space_{};
};

TEST_F(StoreTest, GivesBackEveryFieldAfterReopening) {
  DocumentWrite write = MakeWrite("m1", "Ada moved to Lisbon.\nThe Tagus runs there.");
  MemoryRecord& record = write.record;
  record.title = "Ada";
  record.session = "chat-7";
  record.user_id = "u";
  record.agent_id = "a";
  record.metadata = {{"n", std::int64_t{5}},
                     {"x", 2.5},
                     {"b", true},
                     {"s", std::string("home")},
                     {"l", std::vector<std::string>{"p", "q"}},
                     {"z", nullptr}};
  record.provenance = {.channel = "rest", .source = "file.txt", .trust = Trust::kOperator};
  record.messages = {{.role = "user", .content = "hi", .name = "Ada", .time = clock_.now}};
  record.valid_from = clock_.now;
  record.valid_to = clock_.now + std::chrono::hours(1);
  const auto receipt = store_->Commit(One(write));
  ASSERT_OK(receipt);
  Reopen();
  const auto got = store_->Get(space_, "m1");
  ASSERT_OK(got);
  const MemoryRecord& read = got->record;
  EXPECT_EQ(read.text, record.text);
  EXPECT_EQ(read.title, "Ada");
  EXPECT_EQ(read.space, "default");
  EXPECT_EQ(read.session, "chat-7");
  EXPECT_EQ(read.metadata, record.metadata);
  EXPECT_EQ(read.provenance, record.provenance);
  EXPECT_EQ(read.messages, record.messages);
  EXPECT_EQ(read.valid_from, record.valid_from);
  EXPECT_EQ(read.valid_to, record.valid_to);
  EXPECT_EQ(read.created_at, clock_.now);
  EXPECT_EQ(read.content_hash, ContentHash("Ada", record.text));
  EXPECT_EQ(read.segments, 2U);
  EXPECT_EQ(got->generation, receipt->documents[0].generation);
  EXPECT_EQ(got->segments[1].span, (Span{21, 42}));
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(StoreTest, MakesAnIdOf27LettersWhenNoneIsGiven) {
  const auto receipt = store_->Commit(One(MakeWrite("", "text")));
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->documents[0].id.size(), 27U);
  EXPECT_EQ(receipt->documents[0].id[0], 'm');
  EXPECT_OK(store_->Get(space_, receipt->documents[0].id));
}

TEST_F(StoreTest, RefusesASecondMemoryWithTheSameIdAndKeepsTheFirst) {
  ASSERT_OK(store_->Commit(One(MakeWrite("same", "one"))));
  EXPECT_EQ(store_->Commit(One(MakeWrite("same", "two"))).status().code(), StatusCode::kConflict);
  EXPECT_EQ(store_->Get(space_, "same")->record.text, "one");
}

TEST_F(StoreTest, WritesAllDocumentsOfACommitOrNone) {
  std::vector<DocumentWrite> writes = One(MakeWrite("good", "fine"));
  writes.push_back(MakeWrite("bad", "fine"));
  writes.back().record.title = "\xFF";
  const auto receipt = store_->Commit(std::move(writes));
  EXPECT_EQ(receipt.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(receipt.status().message(), HasSubstr("title"));
  EXPECT_EQ(store_->Get(space_, "good").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(StoreTest, NeverReusesANumberAlsoAfterEraseAndReopen) {
  ASSERT_OK(store_->Commit(One(MakeWrite("a", "one"))));
  const auto second = store_->Commit(One(MakeWrite("b", "two")));
  const DocumentNumber number = second->documents[0].number;
  ASSERT_OK(store_->Erase(space_, std::vector{number}));
  Reopen();
  const auto third = store_->Commit(One(MakeWrite("b", "two again")));
  ASSERT_OK(third);
  EXPECT_GT(third->documents[0].number, number);
}

TEST_F(StoreTest, TakesOnlyReservedNumbers) {
  const DocumentNumber first = *store_->ReserveNumbers(space_, 3);
  EXPECT_EQ(*store_->ReserveNumbers(space_, 1), first + 3);
  DocumentWrite write = MakeWrite("a", "one");
  write.number = first + 1;
  EXPECT_EQ(store_->Commit(One(write))->documents[0].number, first + 1);
  write.record.id = "b";
  EXPECT_EQ(store_->Commit(One(write)).status().code(), StatusCode::kInvalidArgument);
  write.number = first + 100;
  EXPECT_EQ(store_->Commit(One(write)).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(StoreTest, ANewVersionReplacesSegmentsAndPostingsAndKeepsTheOldText) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "zebra one\nzebra two\nzebra three"))));
  DocumentWrite edit = MakeWrite("m", "giraffe");
  edit.mode = WriteMode::kNewVersion;
  edit.if_match = ContentHash("", "zebra one\nzebra two\nzebra three");
  const auto receipt = store_->Commit(One(edit));
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->documents[0].version, 2U);
  EXPECT_THAT(*store_->Search(space_, "zebra", 10), IsEmpty());
  EXPECT_EQ(store_->Search(space_, "giraffe", 10)->size(), 1U);
  const auto history = store_->History(space_, "m");
  ASSERT_OK(history);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ((*history)[0].record.text, "zebra one\nzebra two\nzebra three");
  EXPECT_EQ((*history)[1].record.text, "giraffe");
  const auto stale = store_->ReadKv(std::vector<SegmentRequest>{{{space_, 0, 2}, 0}});
  EXPECT_EQ(stale[0].status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Problems(*store_), IsEmpty());
  EXPECT_EQ(store_->Commit(One(edit)).status().code(), StatusCode::kConflict) << "stale if_match";
}

TEST_F(StoreTest, AVersionCanKeepItsSegments) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "one\ntwo"))));
  DocumentWrite edit;
  edit.mode = WriteMode::kNewVersion;
  edit.keep_segments = true;
  edit.record = store_->Get(space_, "m")->record;
  edit.record.title = "quagga";
  const auto receipt = store_->Commit(One(edit));
  ASSERT_OK(receipt);
  const auto segments = store_->ReadKv(
      std::vector<SegmentRequest>{{{space_, 0, 1}, receipt->documents[0].generation}});
  EXPECT_OK(segments[0]);
  EXPECT_EQ(store_->Search(space_, "quagga", 10)->size(), 1U);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(StoreTest, ReencodingChangesTheModelAndNothingElse) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "one\ntwo"))));
  const Document before = *store_->Get(space_, "m");
  const ModelFingerprint other = {9, 9};
  ASSERT_OK(store_->SetModel({.fingerprint = other, .name = "other"}));
  EXPECT_EQ(store_->ReadKv(std::vector<SegmentRequest>{{{space_, 0, 0}, 0}})[0].status().code(),
            StatusCode::kNotFound);
  DocumentWrite again = MakeWrite("m", "one\ntwo");
  again.mode = WriteMode::kReencode;
  again.if_generation = before.generation;
  EXPECT_EQ(store_->Commit(One(again)).status().code(), StatusCode::kConflict) << "old model";
  for (SegmentWrite& segment : again.segments) {
    segment.router = TestRecord(SegmentKind::kRouter, 4, 5, other);
    segment.kv = TestRecord(SegmentKind::kKv, 4, 5, other);
  }
  ASSERT_OK(store_->Commit(One(again)));
  const Document after = *store_->Get(space_, "m");
  EXPECT_EQ(after.record.version, 1U);
  EXPECT_EQ(after.record.text, before.record.text);
  EXPECT_GT(after.generation, before.generation);
  const auto read = store_->ReadKv(std::vector<SegmentRequest>{{{space_, 0, 0}, after.generation}});
  EXPECT_OK(read[0]);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(StoreTest, RefusesAnotherModelByName) {
  store_.reset();
  StoreOptions other = options_;
  other.model = ModelIdentity{.fingerprint = {42}, .name = "another"};
  const auto opened = Store::Open(folder_ / "store", other);
  EXPECT_EQ(opened.status().code(), StatusCode::kConflict);
  EXPECT_THAT(opened.status().message(), HasSubstr("test model"));
}

TEST_F(StoreTest, ASecondOpenerIsToldThePidOfTheFirst) {
  const auto second = Store::Open(folder_ / "store", options_);
  EXPECT_EQ(second.status().code(), StatusCode::kConflict);
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(StoreTest, AReadOnlyOpenerReadsBesideAWriterAndCannotWrite) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "one"))));
  StoreOptions read_only = options_;
  read_only.read_only = true;
  const auto reader = OpenStore(folder_ / "store", read_only);
  EXPECT_EQ(reader->Get(space_, "m")->record.text, "one");
  EXPECT_EQ(reader->Search(space_, "one", 1)->size(), 1U);
  EXPECT_EQ(reader->Commit(One(MakeWrite("n", "two"))).status().code(),
            StatusCode::kPermissionDenied);
}

TEST_F(StoreTest, ListsByNumberWithACursor) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(store_->Commit(One(MakeWrite(Numbered("m", i), "text"))));
  }
  ListQuery query{.limit = 2};
  std::vector<std::string> ids;
  std::vector<std::size_t> pages;
  while (pages.size() < 6) {
    const auto page = store_->List(space_, query);
    ASSERT_OK(page);
    pages.push_back(page->documents.size());
    for (const Document& document : page->documents) ids.push_back(document.record.id);
    if (!page->next) break;
    query.from = *page->next;
  }
  EXPECT_THAT(ids, ElementsAre("m0", "m1", "m2", "m3", "m4"));
  EXPECT_THAT(pages, ElementsAre(2, 2, 1));
}

TEST_F(StoreTest, SelectsBySessionTimeTrustAndFilter) {
  DocumentWrite a = MakeWrite("a", "text");
  a.record.session = "s";
  a.record.metadata["topic"] = std::string("home");
  DocumentWrite b = MakeWrite("b", "text");
  b.record.valid_from = clock_.now + std::chrono::hours(1);
  b.record.provenance.trust = Trust::kUntrusted;
  std::vector<DocumentWrite> writes = One(a);
  writes.push_back(b);
  ASSERT_OK(store_->Commit(std::move(writes)));
  const auto numbers = [&](const Selection& selection) {
    std::vector<DocumentNumber> found;
    store_->Select(space_, selection)->ForEach([&](DocumentNumber n) { found.push_back(n); });
    return found;
  };
  EXPECT_THAT(numbers({}), ElementsAre(0, 1));
  EXPECT_THAT(numbers({.session = "s"}), ElementsAre(0));
  EXPECT_THAT(numbers({.as_of = clock_.now}), ElementsAre(0));
  EXPECT_THAT(numbers({.least_trust = Trust::kUser}), ElementsAre(0));
  Filter home;
  home.op = Filter::Op::kEq;
  home.field = "topic";
  home.values = {std::string("home")};
  EXPECT_THAT(numbers({.filter = home}), ElementsAre(0));
  EXPECT_THAT(numbers({.session = "x", .filter = home}), IsEmpty());
  const auto sessions = store_->Sessions(space_);
  ASSERT_EQ(sessions->size(), 2U);
  EXPECT_EQ((*sessions)[1].name, "s");
  EXPECT_EQ((*sessions)[1].memories, 1U);
  EXPECT_EQ((*sessions)[1].last_write, clock_.now);
}

TEST_F(StoreTest, AnExpiredMemoryCannotBeReadAndItsIdIsFree) {
  DocumentWrite write = MakeWrite("m", "quagga");
  write.record.expires_at = clock_.now + std::chrono::seconds(1);
  ASSERT_OK(store_->Commit(One(write)));
  EXPECT_OK(store_->Get(space_, "m"));
  clock_.now += std::chrono::seconds(1);
  EXPECT_EQ(store_->Get(space_, "m").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(*store_->Search(space_, "quagga", 1), IsEmpty());
  EXPECT_TRUE(store_->Select(space_, {})->empty());
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "fresh"))));
  EXPECT_EQ(store_->Get(space_, "m")->record.text, "fresh");
  EXPECT_EQ(store_->Spaces()[0].memories, 1U);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(StoreTest, PurgesWhatHasExpired) {
  DocumentWrite write = MakeWrite("m", "quagga");
  write.record.expires_at = clock_.now + std::chrono::seconds(1);
  ASSERT_OK(store_->Commit(One(write)));
  DocumentWrite later = MakeWrite("later", "okapi");
  later.record.expires_at = clock_.now + std::chrono::seconds(3);
  ASSERT_OK(store_->Commit(One(later)));
  ASSERT_OK(store_->Commit(One(MakeWrite("ever", "zebra"))));
  clock_.now += std::chrono::seconds(2);
  const auto purged = store_->PurgeExpired();
  ASSERT_OK(purged);
  EXPECT_EQ(purged->documents, 1U);
  EXPECT_TRUE(purged->physical);
  EXPECT_EQ(store_->Spaces()[0].memories, 2U);
  EXPECT_OK(store_->Get(space_, "later"));
  EXPECT_OK(store_->Get(space_, "ever"));
}

TEST_F(StoreTest, StreamsRouterRecordsInOrderAndOnlyOfItsSpace) {
  ASSERT_OK(store_->EnsureSpace("other"));
  ASSERT_OK(store_->Commit(One(MakeWrite("a", "one\ntwo"))));
  ASSERT_OK(store_->Commit(One(MakeWrite("b", "three", "other"))));
  ASSERT_OK(store_->Commit(One(MakeWrite("c", "four"))));
  std::vector<std::pair<DocumentNumber, std::uint32_t>> seen;
  const auto summary = store_->ScanRouter(space_, [&](const SegmentView& view) {
    seen.emplace_back(view.key().document, view.key().segment);
    EXPECT_EQ(view.Codes(1, SegmentPart::kRouterKeys)[0], std::byte{1});
    EXPECT_EQ(view.Scales(1, SegmentPart::kRouterKeys)[0], 2.0F);
    return true;
  });
  ASSERT_OK(summary);
  EXPECT_THAT(seen, ElementsAre(std::pair(0, 0), std::pair(0, 1), std::pair(1, 0)));
  EXPECT_EQ(summary->misses, 0U);
}

TEST_F(StoreTest, RefusesToWriteBelowTheLowWaterMarkButStillErases) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "one"))));
  options_.low_water_bytes = std::uint64_t{1} << 60;
  Reopen();
  EXPECT_EQ(store_->Commit(One(MakeWrite("n", "two"))).status().code(), StatusCode::kNoSpace);
  EXPECT_OK(store_->Erase(space_, std::vector<DocumentNumber>{0}));
}

TEST_F(StoreTest, ReadersSeeWholeVersionsWhileAWriterEdits) {
  ASSERT_OK(store_->Commit(One(MakeWrite("m", "word0 word0\nword0"))));
  std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 1; i < 40 && !stop.stop_requested(); ++i) {
      const std::string word = Numbered("word", i);
      DocumentWrite edit = MakeWrite("m", word + " " + word + "\n" + word);
      edit.mode = WriteMode::kNewVersion;
      ASSERT_OK(store_->Commit(One(edit)));
    }
  });
  for (int i = 0; i < 200; ++i) {
    const auto document = store_->Get(space_, "m");
    ASSERT_OK(document);
    const std::string word = document->record.text.substr(0, document->record.text.find(' '));
    EXPECT_EQ(document->record.text, word + " " + word + "\n" + word);
    EXPECT_EQ(document->record.content_hash, ContentHash("", document->record.text));
    const auto hits = store_->Search(space_, "word0 word1 word2 word3 word39", 10);
    ASSERT_OK(hits);
    EXPECT_LE(hits->size(), 1U);
  }
}

}  // namespace
}  // namespace kvasir::storage
