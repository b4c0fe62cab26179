// A checkpoint as its authors publish it, from sharded files to an answer: a tiny random model with
// the golden variant's shape, a tokenizer of its own, and the marks of Memory Interleave.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/framing.h"
#include "agent/retrieval_frame.h"
#include "model/sampler.h"
#include "model/tokenizer_source.h"
#include "model/utf8.h"
#include "tests/integration/memory/fixture.h"
#include "tests/support/tokenizer_fixture.h"
#include "tests/unit/model/tiny_model.h"

namespace kvasir {
namespace {

using nlohmann::json;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;
using ::testing::SizeIs;

constexpr int kImStart = 300;
constexpr int kImEnd = 301;
constexpr int kObjectRefEnd = 302;
constexpr int kEndOfRetrieve = 303;

struct Checkpoint {
  bool names_documents = true;  ///< The vocabulary has the marks of generative retrieval.
  float end_mark = 2;           ///< The end mark's embedding, times that of "[".
  std::string aux_loss_method = "INFONCE";
  std::string routed_layers = "2";
  int top_k = 3;
};

/// Bytes and the word "user"; control tokens from 300 on.
json TokenizerOf(const Checkpoint& checkpoint) {
  json tokenizer = testing::SmallTokenizerJson("qwen2");
  json vocabulary = json::object();
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::string text;
    model::AppendCodePoint(model::ByteAlphabet().at(byte), text);
    vocabulary[text] = byte;
  }
  vocabulary.update({{"us", 256}, {"use", 257}, {"user", 258}});
  tokenizer["model"]["vocab"] = vocabulary;
  tokenizer["model"]["merges"] = {"u s", "us e", "use r"};
  tokenizer["added_tokens"] = json::array();
  const auto add = [&](const char* text, int id) {
    tokenizer["added_tokens"].push_back({{"id", id}, {"content", text}, {"special", true}});
  };
  add("<|im_start|>", kImStart);
  add("<|im_end|>", kImEnd);
  if (checkpoint.names_documents) {
    add("<|object_ref_end|>", kObjectRefEnd);
    add("<End-of-Retrieve>", kEndOfRetrieve);
  }
  return tokenizer;
}

/// Two shards and their index.
void WriteShards(const std::filesystem::path& folder, const model::HostTensors& tensors) {
  const std::string names[] = {"model-00001-of-00002.safetensors",
                               "model-00002-of-00002.safetensors"};
  model::HostTensors shards[2];
  json index;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t shard = shards[0].size() > shards[1].size() ? 1 : 0;
    shards[shard][name] = tensor;
    index["weight_map"][name] = names[shard];
  }
  for (int i = 0; i < 2; ++i) model::WriteSafetensors(folder / names[i], shards[i], {});
  std::ofstream(folder / "model.safetensors.index.json") << index.dump();
}

void WriteCheckpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
  json config = json::parse(std::ifstream(model::TinyFolder() / "config.json"));
  config["msa_config"]["aux_loss_method"] = checkpoint.aux_loss_method;
  config["msa_config"]["router_layer_idx"] = checkpoint.routed_layers;
  config["msa_config"]["top_k_docs"] = checkpoint.top_k;
  std::ofstream(folder / "config.json") << config.dump();
  std::ofstream(folder / "tokenizer.json") << TokenizerOf(checkpoint).dump();
  model::HostTensors tensors = model::TinyWeights();
  model::HostTensor& embedding = tensors["model.embed_tokens.weight"];
  const auto width = static_cast<std::size_t>(embedding.shape[1]);
  for (std::size_t i = 0; i < width; ++i) {
    embedding.values[kEndOfRetrieve * width + i] =
        checkpoint.end_mark * embedding.values['[' * width + i];
  }
  WriteShards(folder, tensors);
}

class MsaTest : public ::testing::Test {
 protected:
  void Open(const Checkpoint& checkpoint) {
    memory_.reset();
    folder_ = std::make_unique<model::TestFolder>();
    WriteCheckpoint(folder_->path(), checkpoint);
    OpenOptions options;
    options.model = folder_->path().string();
    options.threads = 1;
    options.on_warning = [this](std::string_view line) { warnings_.emplace_back(line); };
    auto opened = Memory::Open((folder_->path() / "store").string(), options);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    memory_ = *std::move(opened);
  }

  void RememberTowns() {
    const char* const kTowns[] = {"Lisbon", "Porto", "Faro",  "Braga",
                                  "Evora",  "Tomar", "Sines", "Beja"};
    for (std::size_t i = 0; i < std::size(kTowns); ++i) {
      RememberRequest request;
      request.id = kTowns[i];
      request.text = std::string(kTowns[i]) + Name(" has ", 7 * i, " bridges.");
      const auto receipt = memory_->Remember(request);
      ASSERT_TRUE(receipt.ok()) << receipt.status().message();
      EXPECT_EQ(receipt->number, i);  // From 0: it is part of the encoded text.
    }
  }

  AskResult Ask(const std::string& question, std::uint32_t hops = 3) {
    AskRequest request;
    request.question = question;
    request.max_hops = hops;
    request.documents_per_hop = 2;
    request.max_new_tokens = 4;
    request.explain = explain_;
    auto answer = memory_->Ask(request);
    EXPECT_TRUE(answer.ok()) << answer.status().message();
    return answer.ok() ? *std::move(answer) : AskResult();
  }

  /// Ids of the `count` best by routing alone, best first.
  std::vector<std::string> Routed(const std::string& question, std::uint32_t count) {
    RecallRequest request = Query(question);
    request.lexical = false;
    request.top_k = count;
    const auto found = memory_->Recall(request);
    EXPECT_TRUE(found.ok()) << found.status().message();
    std::vector<std::string> ids;
    if (!found.ok()) return ids;
    for (const Hit& hit : found->hits) ids.push_back(hit.id);
    return ids;
  }

  std::unique_ptr<model::TestFolder> folder_;
  std::unique_ptr<Memory> memory_;
  std::vector<std::string> warnings_;
  bool explain_ = false;
};

const char* const kQuestions[] = {"Which town has 7 bridges?", "Name Faro's river", "Why?",
                                  "What is south of Lisbon?"};

/// Ids of the two with the highest scores of the `layer`-th routed layer.
std::vector<std::string> FirstTwo(std::vector<Hit> hits, std::size_t layer) {
  std::stable_sort(hits.begin(), hits.end(), [&](const Hit& a, const Hit& b) {
    return a.layers[layer].score > b.layers[layer].score;
  });
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, hits.size()); ++i) ids.push_back(hits[i].id);
  return ids;
}

// With one routed layer, what routing offers in the first round is what recall finds by it.
TEST_F(MsaTest, GeneratesOnlyNumbersThatRoutingOffered) {
  std::size_t rounds = 0;
  for (const float end_mark : {2.0F, -1.0F}) {
    Open({.end_mark = end_mark});
    RememberTowns();
    for (const char* question : kQuestions) {
      const AskResult answer = Ask(question);
      std::set<std::string> read;
      for (const HopTrace& hop : answer.hops) {
        EXPECT_LE(hop.ids.size(), 2U);
        for (const std::string& id : hop.ids) EXPECT_TRUE(read.insert(id).second) << id;
      }
      if (answer.hops.empty()) continue;
      EXPECT_THAT(answer.hops[0].ids, IsSubsetOf(Routed(question, 3)));
      rounds += answer.hops.size();
    }
  }
  EXPECT_GE(rounds, std::size(kQuestions));
}

// The end mark's logit is 2 or -1 times that of "[": one of the two checkpoints ends at once.
TEST_F(MsaTest, EndsRetrievalWhenTheModelSaysSo) {
  std::vector<std::size_t> hops;
  for (const float end_mark : {2.0F, -1.0F}) {
    Open({.end_mark = end_mark});
    RememberTowns();
    hops.push_back(Ask(kQuestions[0]).hops.size());
  }
  EXPECT_EQ(std::min(hops[0], hops[1]), 0U);
  EXPECT_GT(std::max(hops[0], hops[1]), 0U);
}

// What was near but not read is shown all the same, in a hop that read nothing.
TEST_F(MsaTest, ShowsWhatWasOfferedThoughNothingWasRead) {
  explain_ = true;
  std::vector<HopTrace> first;
  for (const float end_mark : {2.0F, -1.0F}) {
    Open({.end_mark = end_mark});
    RememberTowns();
    const AskResult answer = Ask(kQuestions[0]);
    ASSERT_FALSE(answer.hops.empty());
    if (answer.hops[0].ids.empty()) first.push_back(answer.hops[0]);
  }
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(first[0].hits, SizeIs(3));
}

TEST_F(MsaTest, StopsAtTheBoundOnRounds) {
  for (const float end_mark : {2.0F, -1.0F}) {
    Open({.end_mark = end_mark});
    RememberTowns();
    EXPECT_LE(Ask(kQuestions[0], 1).hops.size(), 1U);
  }
}

// What two layers offer is what each of them, by its own score, has among its first two.
TEST_F(MsaTest, EveryLayerSelectsItsOwn) {
  explain_ = true;
  std::size_t most = 0;
  for (const char* question : kQuestions) {
    Open({.end_mark = -1, .routed_layers = "2,3", .top_k = 2});
    RememberTowns();
    const AskResult answer = Ask(question);
    ASSERT_FALSE(answer.hops.empty());
    const std::vector<Hit>& hits = answer.hops[0].hits;
    std::set<std::string> offered;
    std::set<std::string> best;
    for (const Hit& hit : hits) offered.insert(hit.id);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      for (const std::string& id : FirstTwo(hits, layer)) best.insert(id);
    }
    EXPECT_EQ(offered, best);
    most = std::max(most, offered.size());
  }
  EXPECT_GT(most, 2U);  // Two layers that always agree would show nothing.
}

TEST_F(MsaTest, ExplainsWhatEachRoundWasRoutedTo) {
  explain_ = true;
  Open({.end_mark = -1, .routed_layers = "2,3"});
  RememberTowns();
  const AskResult answer = Ask(kQuestions[3]);
  ASSERT_FALSE(answer.hops.empty());
  for (std::uint32_t hop = 1; hop <= answer.hops.size(); ++hop) {
    const HopTrace& trace = answer.hops[hop - 1];
    std::vector<std::string> shown;
    for (const Hit& hit : trace.hits) {
      shown.push_back(hit.id);
      EXPECT_EQ(hit.hop, hop);
      EXPECT_EQ(hit.text.substr(0, hit.id.size()), hit.id);  // Each text begins with its town.
      ASSERT_THAT(hit.layers, SizeIs(2));
      EXPECT_EQ(hit.layers[0].layer, 2U);
      EXPECT_EQ(hit.layers[1].layer, 3U);
      // That of a layer which selected it.
      const auto score = static_cast<float>(hit.score);
      EXPECT_TRUE(score == hit.layers[0].score || score == hit.layers[1].score) << hit.id;
    }
    EXPECT_THAT(trace.ids, IsSubsetOf(shown));
    EXPECT_TRUE(std::is_sorted(trace.hits.begin(), trace.hits.end(),
                               [](const Hit& a, const Hit& b) { return a.score > b.score; }));
  }
}

TEST_F(MsaTest, ChoosesByRoutingScoreWhereTheModelCannotNameDocuments) {
  Open({.names_documents = false});
  RememberTowns();
  for (const char* question : kQuestions) {
    const AskResult answer = Ask(question, 1);
    ASSERT_THAT(answer.hops, SizeIs(1));
    EXPECT_THAT(answer.hops[0].ids, ElementsAreArray(Routed(question, 2)));
  }
}

TEST_F(MsaTest, SaysSoWhenThereIsNothingToRoute) {
  Open({});
  const AskResult answer = Ask(kQuestions[0]);
  EXPECT_EQ(answer.text, "Not in memory.");
  EXPECT_THAT(answer.hops, IsEmpty());
}

TEST_F(MsaTest, WarnsOnceOfACheckpointTrainedUnlikeItInfers) {
  Open({});
  EXPECT_THAT(warnings_, IsEmpty());
  Open({.aux_loss_method = "INFONCE_DECOUPLE"});
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("INFONCE_DECOUPLE"));
}

TEST_F(MsaTest, FramesAsPublished) {
  Open({});
  const auto backend = compute::MakeBackend({.name = "cpu", .threads = 1});
  const auto model = model::Model::Load(folder_->path().string(), *backend);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_THAT((*model)->template_head(), SizeIs(3));
  const auto framing = agent::Framing::Make(**model);
  const auto frame = agent::RetrievalFrame::Make(**model, *framing);
  ASSERT_TRUE(frame.ok() && *frame);
  const auto text = [&](const model::TokenSequence& tokens) {
    return framing->tokenizer().Decode(tokens, /*with_control=*/true);
  };
  EXPECT_EQ(text(*(*frame)->Question(" Why? ")),
            "\nPlease answer the question based on the above historical document information\n\n"
            "Why?\nPlease return all documents related to the question\n");
  EXPECT_EQ(text((*frame)->tail()), "<|im_end|>\n<|im_start|>");
  EXPECT_EQ(text(*(*frame)->Passage(12, "", "Ada's <|im_end|>")), "[12]. Ada's <|im_end|>\n");
  EXPECT_EQ(text(*(*frame)->AnswerOpening("Why?")),
            "<|im_start|>The user's question is: Why?\n<|object_ref_end|>");
  EXPECT_THAT((*frame)->end_of_retrieval(), ElementsAreArray({kEndOfRetrieve}));
  // A text's own mark stays text: only letters came out of it.
  const auto passage = (*frame)->Passage(12, "", "Ada's <|im_end|>");
  for (const auto token : *passage) EXPECT_LT(token, 300);
}

TEST_F(MsaTest, ItsTrieKnowsNumbersAndMarksOnly) {
  Open({});
  const auto backend = compute::MakeBackend({.name = "cpu", .threads = 1});
  const auto model = model::Model::Load(folder_->path().string(), *backend);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto framing = agent::Framing::Make(**model);
  const auto frame = agent::RetrievalFrame::Make(**model, *framing);
  ASSERT_TRUE(frame.ok() && *frame);
  const std::vector<std::uint64_t> offered = {3, 31, 40};
  const std::vector<float> logits(512, 0.0F);
  std::set<std::uint64_t> out;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (const bool given : {false, true}) {
      auto trie = (*frame)->Trie(offered, given);
      model::Sampler sampler({.temperature = 10, .seed = seed});
      while (!trie->finished()) trie->Advance(sampler.Next(logits, trie->allowed()));
      if (!given) {
        EXPECT_NE(trie->number(), agent::RetrievalFrame::kEndOfNumbers);
      }
      out.insert(trie->number());
    }
  }
  EXPECT_EQ(out, (std::set<std::uint64_t>{3, 31, 40, agent::RetrievalFrame::kEndOfNumbers,
                                          agent::RetrievalFrame::kEndOfRetrieval}));
}

}  // namespace
}  // namespace kvasir
