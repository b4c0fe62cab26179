#include "agent/fusion.h"

#include <algorithm>
#include <cmath>

namespace kvasir::agent {
namespace {

// What a link is worth for a memory that shares no word with the question: the second memory of a
// bridge often shares few. Chosen on training rows (docs/recall.md).
constexpr double kUnasked = 0.1;
// Which part of the way a better neighbour draws a memory up. Chosen on training rows as well.
constexpr double kLift = 0.4;
// Of the latent channel alone, fitted on training rows: every question once with and once without
// its gold memories, among 100 to 3 000.
constexpr double kAloneBias = -9.3;
constexpr double kAlone = 12.4;

}  // namespace

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

double Logit(double p) {
  constexpr double kLeast = 1e-12;
  const double inside = std::clamp(p, kLeast, 1 - kLeast);
  return std::log(inside / (1 - inside));
}

FusionWeights FusionFor(const model::Model& model) {
  if (model.adapter() == nullptr || model.adapter()->fusion.empty()) return {};
  const auto read = [&](const char* name, double otherwise = 0.0) {
    const auto found = model.adapter()->fusion.find(name);
    return found != model.adapter()->fusion.end() ? found->second : otherwise;
  };
  const FusionWeights defaults;
  return {.bias = read("bias"),
          .coverage = read("coverage"),
          .lexical_share = read("lexical_share"),
          .latent = read("latent"),
          .named = read("named", defaults.named),
          .link = read("link", defaults.link),
          .crowd = read("crowd"),
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
                   weights.latent * evidence.latent + weights.named * evidence.named -
                   weights.crowd * evidence.crowd;
  const double alone = Logistic(x);
  const double own = kUnasked + (1 - kUnasked) * evidence.lexical_share;
  return alone + (1 - alone) * weights.link * std::max(evidence.link * own, evidence.bridge);
}

double ScoreAlone(double apart) { return Logistic(kAloneBias + kAlone * apart); }

double Lift(double own, double beside) {
  if (beside <= own) return own;
  return Logistic((1 - kLift) * Logit(own) + kLift * Logit(beside));
}

}  // namespace kvasir::agent
