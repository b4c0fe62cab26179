#include "agent/fusion.h"

#include <algorithm>
#include <cmath>

namespace kvasir::agent {
namespace {

// A space of a few memories has no spread to speak of: without a floor its best would look sure.
constexpr double kLeastDeviation = 1e-3;
constexpr double kMostDeviations = 8;

}  // namespace

FusionWeights FusionFor(const model::Model& model) {
  FusionWeights weights;
  if (model.adapter() == nullptr) return weights;
  const auto read = [&](const char* name, double* weight) {
    const auto found = model.adapter()->fusion.find(name);
    if (found != model.adapter()->fusion.end()) *weight = found->second;
  };
  read("bias", &weights.bias);
  read("lexical", &weights.lexical);
  read("lexical_share", &weights.lexical_share);
  read("latent", &weights.latent);
  return weights;
}

double Fuse(const FusionWeights& weights, const QuestionScale& scale, std::optional<double> lexical,
            std::optional<double> latent) {
  const double bm25 = std::max(lexical.value_or(0), 0.0);
  double x = weights.bias + weights.lexical * std::log1p(bm25);
  if (scale.best_lexical > 0) x += weights.lexical_share * bm25 / scale.best_lexical;
  if (latent) {
    const double z =
        (*latent - scale.latent_mean) / std::max(scale.latent_deviation, kLeastDeviation);
    x += weights.latent * std::clamp(z, -kMostDeviations, kMostDeviations);
  }
  return 1 / (1 + std::exp(-x));
}

}  // namespace kvasir::agent
