#include "agent/hit.h"

#include <utility>

namespace kvasir::agent {

Hit HitOf(storage::Document document, const Candidate& candidate) {
  MemoryRecord& record = document.record;
  Hit hit;
  hit.span = document.segments[candidate.segment].span;
  hit.text = record.text.substr(hit.span.begin, hit.span.end - hit.span.begin);
  hit.id = std::move(record.id);
  hit.number = record.number;
  hit.version = record.version;
  hit.title = std::move(record.title);
  hit.segment = candidate.segment;
  hit.score = candidate.score;
  hit.latent = candidate.latent;
  if (candidate.lexical) hit.lexical = candidate.lexical->score;
  hit.layers = candidate.layers;
  hit.session = std::move(record.session);
  hit.metadata = std::move(record.metadata);
  hit.provenance = std::move(record.provenance);
  hit.created_at = record.created_at;
  return hit;
}

Result<std::vector<Hit>> HitsOf(Bank& bank, storage::SpaceId space,
                                std::vector<Candidate> candidates, std::uint32_t hop) {
  std::vector<storage::DocumentNumber> numbers;
  numbers.reserve(candidates.size());
  for (const Candidate& candidate : candidates) numbers.push_back(candidate.document);
  KVASIR_ASSIGN_OR_RETURN(auto documents, bank.store().GetMany(space, numbers));
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!documents[i] || candidates[i].segment >= documents[i]->segments.size()) continue;
    hits.push_back(HitOf(*std::move(documents[i]), candidates[i]));
    hits.back().hop = hop;
  }
  return hits;
}

}  // namespace kvasir::agent
