#include "agent/search.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "agent/space_index.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

// What the latent channel says of a question.
struct Latent {
  std::shared_ptr<SpaceIndex> index;
  std::vector<model::RouterQuery> queries;
  LatentScores scores;
};

Result<Latent> ScoreLatent(Bank& bank, const SearchQuery& query,
                           std::span<const DocumentNumber> also) {
  Latent latent;
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence tokens, bank.framing().Question(query.text));
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

// The candidates by document; the lexical hits come first and keep their segment.
using Candidates = std::map<DocumentNumber, Candidate>;

void AddLexical(const std::vector<storage::LexicalHit>& hits, Candidates* candidates) {
  for (const storage::LexicalHit& hit : hits) {
    Candidate& candidate = (*candidates)[hit.document];
    candidate.document = hit.document;
    candidate.segment = hit.segment;
    candidate.generation = hit.generation;
    candidate.lexical = {.score = hit.score, .coverage = hit.coverage};
  }
}

std::vector<DocumentNumber> Numbers(const Candidates& candidates) {
  std::vector<DocumentNumber> numbers;
  for (const auto& [document, candidate] : candidates) numbers.push_back(document);
  return numbers;
}

void AddLatent(const LatentScores& scores, Candidates* candidates) {
  for (const LatentHit& hit : scores.best()) {
    (*candidates)[hit.document].document = hit.document;
  }
  for (auto& [document, candidate] : *candidates) {
    const auto hit = scores.Find(document);
    if (!hit) continue;
    // Generations differ when the memory was edited since the lexical channel looked.
    if (candidate.lexical && candidate.generation > hit->generation) continue;
    if (candidate.generation < hit->generation) {
      candidate.lexical.reset();
      candidate.segment = hit->segment;
      candidate.generation = hit->generation;
    }
    candidate.latent = hit->score;
  }
}

Status Explain(const Latent& latent, std::vector<Candidate>* candidates) {
  std::vector<LatentHit> hits;
  std::vector<Candidate*> owners;
  for (Candidate& candidate : *candidates) {
    if (const auto hit = latent.scores.Find(candidate.document); hit && candidate.latent) {
      hits.push_back(*hit);
      owners.push_back(&candidate);
    }
  }
  KVASIR_ASSIGN_OR_RETURN(auto explained, latent.index->Explain(latent.queries, hits));
  for (std::size_t i = 0; i < owners.size(); ++i) owners[i]->layers = std::move(explained[i]);
  return Status::Ok();
}

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
  Candidates candidates;
  double best_lexical = 0;
  if (query.lexical) {
    KVASIR_ASSIGN_OR_RETURN(const auto hits, bank.store().Search(query.space, query.text,
                                                                 query.candidates, query.allowed));
    if (!hits.empty()) best_lexical = hits.front().score;
    AddLexical(hits, &candidates);
  }
  Latent latent;
  if (query.latent) {
    KVASIR_ASSIGN_OR_RETURN(latent, ScoreLatent(bank, query, Numbers(candidates)));
    AddLatent(latent.scores, &candidates);
  }
  std::vector<Candidate> ranked;
  for (auto& [document, candidate] : candidates) {
    candidate.evidence = EvidenceOf(best_lexical, candidate.lexical, candidate.latent);
    candidate.score = Fuse(bank.fusion(), candidate.evidence);
    ranked.push_back(std::move(candidate));
  }
  std::stable_sort(ranked.begin(), ranked.end(), Better);
  if (query.explain && latent.index) KVASIR_RETURN_IF_ERROR(Explain(latent, &ranked));
  return ranked;
}

}  // namespace kvasir::agent
