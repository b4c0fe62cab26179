#include "agent/hit.h"

#include <utility>

namespace kvasir::agent {

Hit HitOf(storage::Document document, const Candidate& candidate) {
  MemoryRecord& record = document.record;
  Hit hit;
  hit.span = document.segments[candidate.segment].span;
  hit.text = SegmentText(document, candidate.segment);
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

}  // namespace kvasir::agent
