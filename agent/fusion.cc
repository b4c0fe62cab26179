#include "agent/fusion.h"

#include <cmath>

namespace kvasir::agent {

FusionWeights FusionFor(const model::Model& model) {
  if (model.adapter() == nullptr || model.adapter()->fusion.empty()) return {};
  const auto read = [&](const char* name) {
    const auto found = model.adapter()->fusion.find(name);
    return found != model.adapter()->fusion.end() ? found->second : 0.0;
  };
  return {.bias = read("bias"),
          .coverage = read("coverage"),
          .lexical_share = read("lexical_share"),
          .latent = read("latent"),
          .answerable = read("answerable")};
}

Evidence EvidenceOf(double best_lexical, const std::optional<LexicalEvidence>& lexical,
                    std::optional<double> latent) {
  Evidence evidence;
  if (lexical) evidence.coverage = lexical->coverage;
  if (lexical && best_lexical > 0) evidence.lexical_share = lexical->score / best_lexical;
  evidence.latent = latent.value_or(0);
  return evidence;
}

double Fuse(const FusionWeights& weights, const Evidence& evidence) {
  const double x = weights.bias + weights.coverage * evidence.coverage +
                   weights.lexical_share * evidence.lexical_share +
                   weights.latent * evidence.latent;
  return 1 / (1 + std::exp(-x));
}

}  // namespace kvasir::agent
