#include "agent/search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "agent/proofread.h"
#include "agent/space_index.h"
#include "agent/spread.h"
#include "agent/words.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

// How many of the best memories are looked through for titles of others, and how much of each:
// what a text is about stands at its beginning. Chosen on training rows (docs/recall.md).
constexpr std::size_t kLinkSeeds = 3;
constexpr std::size_t kLinkBytes = 1200;
// How many memories one hit brings in because their titles share a name with it.
constexpr std::size_t kMostBridges = 16;
// How many of the lexical channel's best say how the question's words are written.
constexpr std::size_t kWriters = 10;
// Of so many of the best, what stands beside them becomes a candidate.
constexpr std::size_t kNeighbourSeeds = 10;

// What of a segment is looked through for names and titles.
std::string_view Beginning(const storage::Document& document, std::uint32_t segment) {
  const std::string_view text = SegmentText(document, segment);
  return text.substr(0, model::CodePointStart(text, std::min(text.size(), kLinkBytes)));
}

// What the latent channel says of a question.
struct Latent {
  std::shared_ptr<SpaceIndex> index;
  std::vector<model::RouterQuery> queries;
  LatentScores scores;
};

Result<Latent> ScoreLatent(Bank& bank, const SearchQuery& query, std::string_view text,
                           std::span<const DocumentNumber> also) {
  Latent latent;
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence tokens, bank.framing().Question(text));
  if (tokens.empty()) return latent;
  const Stopwatch stopwatch(bank.work(), WorkKind::kRoute, tokens.size());
  {
    KVASIR_ASSIGN_OR_RETURN(const auto question, bank.questions().Borrow());
    KVASIR_ASSIGN_OR_RETURN(latent.queries, question->Route(tokens));
  }
  if (query.wait) {
    KVASIR_ASSIGN_OR_RETURN(latent.index, bank.router_index()->Open(query.space));
  } else {
    latent.index = bank.router_index()->OpenNow(query.space).index;
    if (latent.index == nullptr) return latent;
  }
  KVASIR_ASSIGN_OR_RETURN(
      latent.scores, latent.index->Score({.layers = latent.queries,
                                          .allowed = query.allowed,
                                          .best = query.candidates,
                                          .also = also,
                                          .effort = query.exact ? compute::RouteEffort::kExact
                                                                : compute::RouteEffort::kAuto}));
  return latent;
}

// One search: its candidates by document, and what speaks for each.
class Searcher {
 public:
  Searcher(Bank& bank, const SearchQuery& query)
      : bank_(bank), query_(query), alone_(!query.lexical && bank.fusion().latent > 0) {
    if (query.allowed == nullptr || query.allowed->empty()) return;
    crowd_ = std::log(static_cast<double>(query.allowed->size()) / kCrowd);
  }

  Result<std::vector<Candidate>> Run() {
    KVASIR_ASSIGN_OR_RETURN(std::vector<storage::LexicalHit> found, SearchLexical());
    if (query_.lexical) KVASIR_RETURN_IF_ERROR(AddLexical(&found));
    if (query_.latent) {
      KVASIR_ASSIGN_OR_RETURN(const std::string text, Heard(found));
      KVASIR_ASSIGN_OR_RETURN(latent_, ScoreLatent(bank_, query_, text, Numbers()));
      for (const LatentHit& hit : latent_.scores.best()) Get(hit.document);
      for (auto& [document, candidate] : candidates_) {
        if (const auto hit = latent_.scores.Find(document)) AddLatent(*hit, &candidate);
      }
    }
    KVASIR_RETURN_IF_ERROR(Complete());
    Weigh();
    const std::vector<Candidate> first = Ranked();
    if (query_.lexical && query_.titles) KVASIR_RETURN_IF_ERROR(FollowTitles(first));
    KVASIR_RETURN_IF_ERROR(AddNeighbours(first));
    KVASIR_RETURN_IF_ERROR(Complete());
    Weigh();
    KVASIR_RETURN_IF_ERROR(LiftNeighbours());
    std::vector<Candidate> ranked = Ranked();
    if (query_.titles) Spread(bank_.fusion(), query_.text, &ranked);
    if (query_.explain && latent_.index) KVASIR_RETURN_IF_ERROR(Explain(&ranked));
    return ranked;
  }

 private:
  Candidate& Get(DocumentNumber document) {
    Candidate& candidate = candidates_[document];
    candidate.document = document;
    return candidate;
  }

  std::vector<DocumentNumber> Numbers() const {
    std::vector<DocumentNumber> numbers;
    for (const auto& [document, candidate] : candidates_) numbers.push_back(document);
    return numbers;
  }

  template <typename Found>
  static std::vector<DocumentNumber> NumbersOf(std::span<const Found> found) {
    std::vector<DocumentNumber> numbers;
    numbers.reserve(found.size());
    for (const Found& one : found) numbers.push_back(one.document);
    return numbers;
  }

  bool Allowed(DocumentNumber document) const {
    return query_.allowed == nullptr || query_.allowed->Contains(document);
  }

  // The latent channel alone asks it for capitals only.
  Result<std::vector<storage::LexicalHit>> SearchLexical() {
    const bool asks = query_.lexical || (query_.titles && IsInOneCase(query_.text));
    if (!asks) return std::vector<storage::LexicalHit>();
    const std::size_t count = query_.lexical ? query_.candidates : kWriters;
    return bank_.store().Search(query_.space, query_.text, count, query_.allowed, &words_);
  }

  // The question as the model hears it. That of a later hop has a hit's text behind it.
  Result<std::string> Heard(std::span<const storage::LexicalHit> found) {
    std::string question(query_.text);
    if (!query_.titles || (words_.unknown.empty() && !IsInOneCase(question))) return question;
    const auto hits = found.first(std::min(found.size(), kWriters));
    KVASIR_ASSIGN_OR_RETURN(const auto documents,
                            bank_.store().GetMany(query_.space, NumbersOf(hits)));
    std::vector<WrittenText> texts;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      if (!documents[i]) continue;
      texts.push_back({documents[i]->record.title, SegmentText(*documents[i], hits[i].segment)});
    }
    return Proofread(question, words_.unknown, texts);
  }

  Status AddLexical(std::vector<storage::LexicalHit>* hits) {
    if (!hits->empty()) best_lexical_ = hits->front().score;
    for (storage::LexicalHit& hit : *hits) AddWords(&hit, &Get(hit.document));
    if (!query_.titles) return Status::Ok();
    KVASIR_ASSIGN_OR_RETURN(const auto named, bank_.store().TitlesIn(query_.space, query_.text));
    for (const storage::TitleMention& mention : named) {
      if (Allowed(mention.document)) Get(mention.document).evidence.named = mention.strength;
    }
    return Status::Ok();
  }

  // The best candidates' texts name others, who may be new to both channels.
  Status FollowTitles(std::span<const Candidate> ranked) {
    const auto seeds = ranked.first(std::min(ranked.size(), kLinkSeeds));
    KVASIR_ASSIGN_OR_RETURN(const auto documents,
                            bank_.store().GetMany(query_.space, NumbersOf(seeds)));
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      if (!documents[i]) continue;
      KVASIR_ASSIGN_OR_RETURN(const auto mentions,
                              TitlesIn(bank_, query_.space, *documents[i], seeds[i].segment));
      for (const storage::TitleMention& mention : mentions) {
        if (!Allowed(mention.document)) continue;
        double& link = Get(mention.document).evidence.link;
        link = std::max(link, seeds[i].score * mention.strength);
      }
      KVASIR_RETURN_IF_ERROR(FindBridges(seeds[i], *documents[i]));
    }
    return Status::Ok();
  }

  // Titles that share a name with a good hit: "History of Mississippi", of one that says where a
  // place lies. They count by what they say of the question beyond this hit.
  Status FindBridges(const Candidate& seed, const storage::Document& document) {
    const std::string names = Names(Beginning(document, seed.segment));
    KVASIR_ASSIGN_OR_RETURN(auto mentions, bank_.store().TitlesSharing(query_.space, names,
                                                                       query_.text, seed.document));
    std::erase_if(mentions, [&](const auto& mention) { return !Allowed(mention.document); });
    auto mention = mentions.begin();
    std::vector<std::pair<double, DocumentNumber>> bridges;
    for (const storage::LexicalHit& hit :
         storage::ScoreMore(words_, NumbersOf(std::span(std::as_const(mentions))))) {
      while (mention->document != hit.document) ++mention;  // Both ascend.
      const double bridge = seed.score * mention->strength * PartLeftOpen(seed, hit);
      if (bridge > 0) bridges.emplace_back(bridge, hit.document);
    }
    std::ranges::stable_sort(bridges, std::greater{}, &std::pair<double, DocumentNumber>::first);
    if (bridges.size() > kMostBridges) bridges.resize(kMostBridges);
    for (const auto& [strength, to] : bridges) {
      double& bridge = Get(to).evidence.bridge;
      bridge = std::max(bridge, strength);
    }
    return Status::Ok();
  }

  // Which part of the question's terms that `seed` has nothing of `hit` covers.
  double PartLeftOpen(const Candidate& seed, const storage::LexicalHit& hit) const {
    double open = 0;
    double covered = 0;
    for (std::size_t t = 0; t < words_.limits.size(); ++t) {
      if (t < seed.terms.size() && seed.terms[t] > 0) continue;
      open += double{words_.limits[t]};
      covered += double{hit.terms[t]};
    }
    return open > 0 ? covered / open : 0;
  }

  // What stands beside the best may be new to both channels as well.
  Status AddNeighbours(std::span<const Candidate> ranked) {
    const auto seeds = ranked.first(std::min(ranked.size(), kNeighbourSeeds));
    KVASIR_ASSIGN_OR_RETURN(const auto beside,
                            bank_.store().Beside(query_.space, NumbersOf(seeds)));
    for (const storage::Neighbours& neighbours : beside) {
      for (const auto& document : {neighbours.before, neighbours.after}) {
        if (document && Allowed(*document)) Get(*document);
      }
    }
    return Status::Ok();
  }

  // By what neighbours score themselves: nothing is drawn up by what was drawn up.
  Status LiftNeighbours() {
    const std::vector<DocumentNumber> numbers = Numbers();
    KVASIR_ASSIGN_OR_RETURN(const auto beside, bank_.store().Beside(query_.space, numbers));
    std::vector<double> scores;
    scores.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      double score = candidates_[numbers[i]].score;
      for (const auto& document : {beside[i].before, beside[i].after}) {
        const auto neighbour = document ? candidates_.find(*document) : candidates_.end();
        if (neighbour == candidates_.end()) continue;
        score = std::max(score, Lift(candidates_[numbers[i]].score, neighbour->second.score));
      }
      scores.push_back(score);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) candidates_[numbers[i]].score = scores[i];
    return Status::Ok();
  }

  // What each channel says of the candidates that it did not find itself.
  Status Complete() {
    KVASIR_RETURN_IF_ERROR(FindGenerations());
    KVASIR_RETURN_IF_ERROR(ScoreNewLatent());
    if (query_.lexical) ScoreNewWords();
    return alone_ ? TellApart() : Status::Ok();
  }

  Status ScoreNewLatent() {
    if (latent_.index == nullptr) return Status::Ok();
    std::vector<DocumentNumber> numbers;
    for (const auto& [document, candidate] : candidates_) {
      if (!candidate.latent) numbers.push_back(document);
    }
    if (numbers.empty()) return Status::Ok();
    KVASIR_ASSIGN_OR_RETURN(const std::vector<LatentHit> hits,
                            latent_.index->ScoreSome(latent_.queries, numbers));
    for (const LatentHit& hit : hits) AddLatent(hit, &candidates_[hit.document]);
    return Status::Ok();
  }

  // What is common in this space says little: beside the lexical channel, whose rare words know
  // that, it makes no difference (docs/recall.md).
  Status TellApart() {
    std::vector<LatentHit> hits;
    for (const auto& [document, hit] : routed_) {
      if (!told_apart_.contains(document)) hits.push_back(hit);
    }
    if (hits.empty()) return Status::Ok();
    KVASIR_ASSIGN_OR_RETURN(const auto scores, latent_.index->ScoreApart(latent_.queries, hits));
    for (std::size_t i = 0; i < hits.size(); ++i) {
      candidates_[hits[i].document].latent = scores[i].value_or(hits[i].score);
      told_apart_.insert(hits[i].document);
    }
    return Status::Ok();
  }

  // An edited memory stays as the latent channel knows it: its words were read before.
  void ScoreNewWords() {
    std::vector<DocumentNumber> numbers;
    for (const auto& [document, candidate] : candidates_) {
      const bool is_known = candidate.generation < words_.next_generation;
      if (!candidate.lexical && is_known) numbers.push_back(document);
    }
    for (storage::LexicalHit& hit : storage::ScoreMore(words_, numbers)) {
      Candidate& candidate = candidates_[hit.document];
      hit.generation = candidate.generation;
      if (candidate.latent) hit.segment = candidate.segment;
      AddWords(&hit, &candidate);
    }
  }

  static void AddWords(storage::LexicalHit* hit, Candidate* candidate) {
    candidate->segment = hit->segment;
    candidate->generation = hit->generation;
    candidate->lexical = {.score = hit->score, .coverage = hit->coverage};
    candidate->terms = std::move(hit->terms);
  }

  // Evidence and score of every candidate.
  void Weigh() {
    for (auto& [document, candidate] : candidates_) {
      const Evidence titles = candidate.evidence;
      candidate.evidence = EvidenceOf(best_lexical_, candidate.lexical, candidate.latent);
      candidate.evidence.named = titles.named;
      candidate.evidence.link = titles.link;
      candidate.evidence.bridge = titles.bridge;
      candidate.evidence.crowd = crowd_;
      candidate.score =
          alone_ ? ScoreAlone(candidate.evidence.latent) : Fuse(bank_.fusion(), candidate.evidence);
    }
  }

  void AddLatent(const LatentHit& hit, Candidate* candidate) {
    // Generations differ when the memory was edited since the lexical channel looked.
    if (candidate->lexical && candidate->generation > hit.generation) return;
    if (candidate->generation < hit.generation) {
      candidate->lexical.reset();
      candidate->terms.clear();
      candidate->segment = hit.segment;
      candidate->generation = hit.generation;
    }
    candidate->latent = hit.score;
    routed_[hit.document] = hit;
  }

  // Of those that only a title brought in.
  Status FindGenerations() {
    std::vector<DocumentNumber> numbers;
    for (const auto& [document, candidate] : candidates_) {
      if (candidate.generation == 0) numbers.push_back(document);
    }
    if (numbers.empty()) return Status::Ok();
    KVASIR_ASSIGN_OR_RETURN(const auto heads,
                            bank_.store().GetMany(query_.space, numbers, /*with_text=*/false));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (heads[i]) {
        candidates_[numbers[i]].generation = heads[i]->generation;
      } else {
        candidates_.erase(numbers[i]);
      }
    }
    return Status::Ok();
  }

  Status Explain(std::vector<Candidate>* ranked) const {
    std::vector<LatentHit> hits;
    std::vector<Candidate*> owners;
    for (Candidate& candidate : *ranked) {
      if (const auto hit = routed_.find(candidate.document); hit != routed_.end()) {
        hits.push_back(hit->second);
        owners.push_back(&candidate);
      }
    }
    KVASIR_ASSIGN_OR_RETURN(auto explained, latent_.index->Explain(latent_.queries, hits));
    for (std::size_t i = 0; i < owners.size(); ++i) owners[i]->layers = std::move(explained[i]);
    return Status::Ok();
  }

  std::vector<Candidate> Ranked() const {
    std::vector<Candidate> ranked;
    ranked.reserve(candidates_.size());
    for (const auto& [document, candidate] : candidates_) ranked.push_back(candidate);
    std::stable_sort(ranked.begin(), ranked.end(), Better);
    return ranked;
  }

  Bank& bank_;
  const SearchQuery& query_;
  std::map<DocumentNumber, Candidate> candidates_;
  std::map<DocumentNumber, LatentHit> routed_;  // Of the candidates with a latent score.
  storage::LexicalState words_;                 // Of the question's terms.
  double best_lexical_ = 0;
  double crowd_ = 0;  // Evidence::crowd
  const bool alone_;  // Trained routers, asked alone: see TellApart.
  std::set<DocumentNumber> told_apart_;
  Latent latent_;
};

}  // namespace

bool Better(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  // A model whose routers are not trained gives the latent channel no weight; asked alone, it still
  // has an order.
  if (a.evidence.latent != b.evidence.latent) {
    return a.evidence.latent > b.evidence.latent;
  }
  return a.document < b.document;
}

Result<std::vector<Candidate>> Search(Bank& bank, const SearchQuery& query) {
  return Searcher(bank, query).Run();
}

std::string_view SegmentText(const storage::Document& document, std::uint32_t segment) {
  if (segment >= document.segments.size()) return {};
  const Span span = document.segments[segment].span;
  return std::string_view(document.record.text).substr(span.begin, span.end - span.begin);
}

Result<std::vector<storage::TitleMention>> TitlesIn(Bank& bank, storage::SpaceId space,
                                                    const storage::Document& document,
                                                    std::uint32_t segment) {
  KVASIR_ASSIGN_OR_RETURN(auto mentions,
                          bank.store().TitlesIn(space, Beginning(document, segment)));
  std::erase_if(mentions, [&](const storage::TitleMention& mention) {
    return mention.document == document.record.number;
  });
  return mentions;
}

}  // namespace kvasir::agent
