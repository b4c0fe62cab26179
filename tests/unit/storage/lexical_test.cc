// BM25 from the store against a plain implementation written for this test.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "storage/analyzer.h"
#include "storage/query_terms.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

struct PlainDocument {
  std::string title;
  std::vector<std::string> segments;
};

std::map<std::string, double> Counts(const std::vector<std::string>& terms) {
  std::map<std::string, double> counts;
  for (const std::string& term : terms) counts[term] += 1;
  return counts;
}

std::vector<std::pair<DocumentNumber, double>> PlainBm25(
    const std::map<DocumentNumber, PlainDocument>& corpus, const std::string& query) {
  std::map<DocumentNumber, std::vector<std::string>> whole;
  std::map<std::string, double> document_frequency;
  double total = 0;
  for (const auto& [number, document] : corpus) {
    std::string text = document.title;
    for (const std::string& segment : document.segments) text += "\n" + segment;
    whole[number] = Terms(text);
    for (const auto& [term, count] : Counts(whole[number])) document_frequency[term] += 1;
    total += static_cast<double>(whole[number].size());
  }
  const auto n = static_cast<double>(corpus.size());
  const auto idf = [&](const std::string& term) {
    const double df = document_frequency[term];
    return std::log(1 + (n - df + 0.5) / (df + 0.5));
  };
  const std::vector<std::string> terms = QueryTerms(query);
  double mean = 0;
  for (const std::string& term : terms) mean += idf(term) / static_cast<double>(terms.size());
  const auto score = [&](const std::vector<std::string>& text, const std::string& title) {
    std::map<std::string, double> counts = Counts(text);
    std::map<std::string, double> in_title = Counts(Terms(title));
    const double norm = 0.9 * (1 - 0.4 + 0.4 * static_cast<double>(text.size()) / (total / n));
    double sum = 0;
    for (const std::string& term : terms) {
      const double weight = idf(term) * std::pow(idf(term) / mean, 0.25);
      sum += weight * counts[term] * 1.9 / (counts[term] + norm);
      sum += 0.3 * weight * in_title[term] * 1.9 / (in_title[term] + 0.9);
    }
    return sum;
  };
  std::vector<std::pair<DocumentNumber, double>> scores;
  for (const auto& [number, document] : corpus) {
    double best = 0;
    for (const std::string& segment : document.segments) {
      best = std::max(best, score(Terms(document.title + "\n" + segment), document.title));
    }
    const double mixed = 0.35 * score(whole[number], document.title) + 0.65 * best;
    if (mixed > 0) scores.emplace_back(number, mixed);
  }
  std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) {
    return std::pair(-a.second, a.first) < std::pair(-b.second, b.first);
  });
  return scores;
}

std::string RandomWords(std::mt19937* random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    // Squared: some words are common, most are rare.
    const double unit = std::uniform_real_distribution<>(0, 1)(*random);
    text.append("w").append(std::to_string(static_cast<int>(unit * unit * 60))).append(" ");
  }
  return text;
}

class LexicalTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LexicalTest, EqualsPlainBm25WhileDocumentsComeChangeAndGo) {
  std::mt19937 random(7);
  TempFolder folder;
  StoreOptions options = TestOptions();
  options.posting_cache_bytes = GetParam();
  const auto store = OpenStore(folder / "store", options);
  const SpaceId space = *store->EnsureSpace("default");
  std::map<DocumentNumber, PlainDocument> corpus;
  for (int round = 0; round < 60; ++round) {
    PlainDocument document{.title = RandomWords(&random, 2), .segments = {}};
    std::string text;
    for (std::uint32_t i = 0; i < 1 + random() % 3; ++i) {
      document.segments.push_back(RandomWords(&random, 1 + static_cast<int>(random() % 20)) + "\n");
      text += document.segments.back();
    }
    const bool edit = round % 5 == 4;
    DocumentWrite write = MakeWrite(std::to_string(edit ? round - 1 : round), text);
    write.record.title = document.title;
    write.mode = edit ? WriteMode::kNewVersion : WriteMode::kCreate;
    const auto receipt = store->Commit(One(write));
    ASSERT_OK(receipt);
    corpus[receipt->documents[0].number] = document;
    if (round % 7 == 6) {
      const DocumentNumber victim = corpus.begin()->first;
      ASSERT_OK(store->Erase(space, std::vector{victim}, {.defer = true, .call = {}}));
      corpus.erase(victim);
    }
    const std::string query = RandomWords(&random, 1 + static_cast<int>(random() % 6));
    const auto expected = PlainBm25(corpus, query);
    const auto hits = store->Search(space, query, 1000);
    ASSERT_OK(hits);
    ASSERT_EQ(hits->size(), expected.size()) << "round " << round;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR((*hits)[i].score, expected[i].second, 1e-9) << "round " << round;
      if (i > 0 && std::abs(expected[i].second - expected[i - 1].second) < 1e-9) continue;
      if (i + 1 < expected.size() && expected[i].second - expected[i + 1].second < 1e-9) continue;
      EXPECT_EQ((*hits)[i].document, expected[i].first);
    }
  }
  EXPECT_THAT(Problems(*store), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutCache, LexicalTest,
                         ::testing::Values(0, 4096, std::uint64_t{64} << 20));

// What a search found and what its state says of each document are the same, and no more.
void ExpectSameOneByOne(const LexicalState& state, const std::vector<LexicalHit>& hits) {
  std::vector<DocumentNumber> numbers(4 * 4096);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto found = ScoreMore(state, numbers);
  ASSERT_EQ(found.size(), hits.size());
  for (const LexicalHit& hit : hits) {
    const auto same = std::ranges::lower_bound(found, hit.document, {}, &LexicalHit::document);
    ASSERT_TRUE(same != found.end() && same->document == hit.document);
    EXPECT_EQ(same->score, hit.score);
    EXPECT_EQ(same->coverage, hit.coverage);
    EXPECT_EQ(same->segment, hit.segment);
    EXPECT_EQ(same->terms, hit.terms);
  }
}

TEST(Lexical, TheBestAreTheFirstOfAll) {
  // Four blocks: what the first one holds lets the others pass documents over.
  std::mt19937 random(11);
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  for (std::uint64_t block = 0; block < 4; ++block) {
    std::vector<DocumentWrite> writes;
    for (std::uint64_t i = 0; i < 400; ++i) {
      writes.push_back(MakeWrite(std::to_string(400 * block + i), RandomWords(&random, 6)));
      if (i % 3 == 0) writes.back().record.title = RandomWords(&random, 1);
    }
    ASSERT_OK(store->Commit(std::move(writes)));
    (void)*store->ReserveNumbers(space, 4096);
  }
  for (int round = 0; round < 40; ++round) {
    const std::string query = RandomWords(&random, 1 + static_cast<int>(random() % 6));
    const auto all = store->Search(space, query, 1600);
    LexicalState state;
    const auto best = store->Search(space, query, 1 + random() % 40, nullptr, &state);
    ASSERT_OK(all);
    ASSERT_OK(best);
    ASSERT_LE(best->size(), all->size());
    for (std::size_t i = 0; i < best->size(); ++i) {
      EXPECT_EQ((*best)[i].document, (*all)[i].document) << query << " " << i;
      EXPECT_EQ((*best)[i].score, (*all)[i].score);
    }
    ExpectSameOneByOne(state, *all);
  }
}

TEST(Lexical, AStateScoresWhatItHasSeen) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  const auto old = store->Commit(One(MakeWrite("a", "the Tagus floods the harbour")));
  LexicalState state;
  ASSERT_OK(store->Search(space, "Tagus floods", 1, nullptr, &state));
  DocumentWrite edit = MakeWrite("a", "nothing");
  edit.mode = WriteMode::kNewVersion;
  const auto edited = store->Commit(One(edit));
  ASSERT_OK(edited);
  EXPECT_LT(old->documents[0].generation, state.next_generation);
  EXPECT_GE(edited->documents[0].generation, state.next_generation);
  const DocumentNumber known = old->documents[0].number;
  const auto hits = ScoreMore(state, std::vector<DocumentNumber>{known, known + 1, 1 << 20});
  ASSERT_EQ(hits.size(), 1U) << "of two that are not there";
  EXPECT_THAT(hits[0].terms, ::testing::Each(::testing::Gt(0)));
  EXPECT_THAT(ScoreMore(LexicalState(), std::vector{known}), ::testing::IsEmpty());
}

TEST(QueryTerms, AreDistinctAndSayWhatIsAskedFor) {
  EXPECT_EQ(QueryTerms("What is the capital, the old capital, of Portugal?"),
            (std::vector<std::string>{"capit", "old", "portug"}));
  EXPECT_EQ(QueryTerms("May will the US"), (std::vector<std::string>{"may", "will", "us"}));
}

TEST(QueryTerms, OfFunctionWordsAloneAreThoseWords) {
  EXPECT_EQ(QueryTerms("to be or not to be"), (std::vector<std::string>{"to", "be", "or", "not"}));
}

TEST(Lexical, CoverageIsThePartOfTheQuestionThatADocumentSpeaksOf) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  ASSERT_OK(store->Commit(One(MakeWrite("m", "the Tagus runs through Lisbon"))));
  ASSERT_OK(store->Commit(One(MakeWrite("n", "bread and salt"))));
  const double whole = store->Search(space, "Tagus Lisbon", 1)->front().coverage;
  const double half = store->Search(space, "Tagus xylophone", 1)->front().coverage;
  const double little = store->Search(space, "Tagus xylophone quartet", 1)->front().coverage;
  EXPECT_LE(whole, 1);
  EXPECT_GT(whole, half);
  EXPECT_GT(half, little);
  EXPECT_GT(little, 0);
}

TEST(Lexical, TakesAWordThatNobodyHasForOneThatLooksLikeIt) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  for (const char* text : {"Ada lives in Lisbon", "a boat to Lisbon", "the isbon of the press",
                           "Bob lives in Porto", "two dogs"}) {
    ASSERT_OK(store->Commit(One(MakeWrite(text, text))));
  }
  const auto found = [&](std::string_view query) {
    std::vector<DocumentNumber> numbers;
    const auto hits = store->Search(space, query, 10);
    EXPECT_OK(hits);
    for (const LexicalHit& hit : *hits) numbers.push_back(hit.document);
    return numbers;
  };
  EXPECT_THAT(found("libson"), ::testing::ElementsAre(0, 1));
  EXPECT_THAT(found("wisbon"), ::testing::UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(found("isbon"), ::testing::ElementsAre(2)) << "a word that somebody has is meant";
  EXPECT_THAT(found("liverpool"), ::testing::IsEmpty());
  EXPECT_THAT(found("dags"), ::testing::IsEmpty()) << "its stem has three letters";
  // Surely meant counts for more than nearly written, also in what part of the question is covered.
  const auto exact = store->Search(space, "Ada Lisbon", 1);
  const auto near = store->Search(space, "Ada Lisbom", 1);
  ASSERT_OK(exact);
  ASSERT_OK(near);
  EXPECT_EQ(near->at(0).document, 0U);
  EXPECT_LT(near->at(0).score, exact->at(0).score);
  EXPECT_LT(near->at(0).coverage, exact->at(0).coverage);
  EXPECT_GT(near->at(0).coverage, 0.5 * exact->at(0).coverage);
}

TEST(Lexical, TakesTheMostFrequentOfManyWordsThatLookAlike) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  std::vector<DocumentWrite> writes;
  // Of the word with letter k there are 10 - k; the first three are meant.
  for (int k = 0; k < 5; ++k) {
    for (int i = 0; i < 10 - k; ++i) {
      writes.push_back(MakeWrite(Numbered("m", 10 * k + i),
                                 std::string("zorr") + static_cast<char>('a' + k) + "k"));
    }
  }
  ASSERT_OK(store->Commit(std::move(writes)));
  const auto hits = store->Search(space, "zorrxk", 100);
  ASSERT_OK(hits);
  EXPECT_EQ(hits->size(), 10U + 9 + 8);
}

TEST(Lexical, RatherTakesAWordThatBeginsAlike) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  for (const char* text :
       {"aisbox", "bisbox", "cisbox", "to aisbox", "to bisbox", "to cisbox", "lisbon"}) {
    ASSERT_OK(store->Commit(One(MakeWrite(text, text))));
  }
  const auto hits = store->Search(space, "lisbox", 10);
  ASSERT_OK(hits);
  EXPECT_THAT(*hits, ::testing::Contains(::testing::Field(&LexicalHit::document, 6U)));
  EXPECT_EQ(hits->size(), 5U) << "and two of the others, twice each";
}

TEST(Lexical, NamesTheSegmentThatHoldsTheWords) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  ASSERT_OK(
      store->Commit(One(MakeWrite("m", "nothing here\nstill nothing\nthe Tagus runs here\n"))));
  const auto hits = store->Search(space, "Tagus", 1);
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ((*hits)[0].segment, 2U);
}

TEST(Lexical, PrefersWordsThatStandTogether) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  ASSERT_OK(store->Commit(
      One(MakeWrite("apart", "ferry after ferry, one ferry\nharbour, harbour, harbour walls\n"))));
  ASSERT_OK(store->Commit(
      One(MakeWrite("together", "rain fell here\nice came and snow\nno ferry in the harbour\n"))));
  ASSERT_OK(store->Commit(One(MakeWrite("neither", "rain and snow fell on the hills\n"))));
  // The first one has each word three times, and is the better one as a whole.
  const auto best = store->Search(space, "ferry harbour", 1);
  ASSERT_EQ(best->size(), 1U);
  EXPECT_EQ((*best)[0].document, 1U);
  EXPECT_EQ((*best)[0].segment, 2U);
}

TEST(Lexical, SaysWhatEachTermAdds) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  for (const char* text : {"the Tagus runs here\nthe Tagus floods\n", "here is the harbour",
                           "a harbour on the Tagus", "nothing"}) {
    ASSERT_OK(store->Commit(One(MakeWrite(text, text))));
  }
  LexicalState state;
  const auto hits = store->Search(space, "Tagus harbuor heron", 10, nullptr, &state);
  ASSERT_EQ(hits->size(), 3U);
  for (const LexicalHit& hit : *hits) {
    ASSERT_EQ(hit.terms.size(), 3U);
    EXPECT_NEAR(double{hit.terms[0]} + hit.terms[1] + hit.terms[2], hit.score, 1e-6);
    EXPECT_EQ(hit.terms[0] > 0, hit.document != 1) << hit.document;
    EXPECT_EQ(hit.terms[1] > 0, hit.document != 0) << "as the word that it looks like";
    EXPECT_EQ(hit.terms[2], 0) << "no document has it";
  }
  EXPECT_EQ(state.unknown, (std::vector<std::string>{"harbuor", "heron"}));
}

TEST(Lexical, ReturnsOnlyAllowedDocumentsAndBreaksTiesByNumber) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  for (const char* id : {"a", "b", "c", "d"})
    ASSERT_OK(store->Commit(One(MakeWrite(id, "same words"))));
  DocumentSet allowed;
  allowed.Insert(3);
  allowed.Insert(1);
  const auto hits = store->Search(space, "same", 10, &allowed);
  ASSERT_EQ(hits->size(), 2U);
  EXPECT_EQ((*hits)[0].document, 1U);
  EXPECT_EQ((*hits)[1].document, 3U);
}

TEST(Lexical, KeepsSpacesApart) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId mine = *store->EnsureSpace("mine");
  ASSERT_OK(store->EnsureSpace("theirs"));
  ASSERT_OK(store->Commit(One(MakeWrite("m", "secret", "theirs"))));
  EXPECT_THAT(*store->Search(mine, "secret", 10), ::testing::IsEmpty());
}

TEST(Lexical, KeepsTheBestOfEveryBlockAndOfEqualsTheFirst) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  std::vector<DocumentNumber> equal;
  std::vector<DocumentNumber> best;
  for (int block = 0; block < 3; ++block) {
    for (int i = 0; i < 4; ++i) {
      const auto receipt =
          store->Commit(One(MakeWrite(Numbered("m", static_cast<std::uint64_t>(4 * block + i)),
                                      i == 2 ? "needle needle hay hay" : "needle hay hay hay")));
      ASSERT_OK(receipt);
      (i == 2 ? best : equal).push_back(receipt->documents[0].number);
    }
    (void)*store->ReserveNumbers(space, 4096);
  }
  const auto hits = store->Search(space, "needle", 5);
  ASSERT_OK(hits);
  std::vector<DocumentNumber> found;
  for (const LexicalHit& hit : *hits) found.push_back(hit.document);
  EXPECT_THAT(found, ::testing::ElementsAre(best[0], best[1], best[2], equal[0], equal[1]));
}

TEST(Lexical, SearchesBlocksBeyondTheFirst4096Numbers) {
  TempFolder folder;
  const auto store = OpenStore(folder / "store");
  const SpaceId space = *store->EnsureSpace("default");
  (void)*store->ReserveNumbers(space, 10000);
  ASSERT_OK(store->Commit(One(MakeWrite("m", "needle"))));
  const auto hits = store->Search(space, "needle", 1);
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ((*hits)[0].document, 10000U);
}

}  // namespace
}  // namespace kvasir::storage
