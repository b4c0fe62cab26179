// Two channels, one score: how likely a memory answers the question, in [0, 1].
#ifndef KVASIR_AGENT_FUSION_H_
#define KVASIR_AGENT_FUSION_H_

#include <optional>

#include "model/model.h"

namespace kvasir::agent {

/// Constants of the logistic function below. The defaults were fitted by scripts/tune-fusion on
/// training rows for a model whose routers are not trained; an adapter brings its own.
struct FusionWeights {
  double bias = -3.0;
  double lexical = 1.0;        ///< Of log(1 + BM25).
  double lexical_share = 2.0;  ///< Of BM25 divided by the best BM25 of this question.
  double latent = 0.0;         ///< Of the latent score in deviations from the mean.
  friend bool operator==(const FusionWeights&, const FusionWeights&) = default;
};

/// The adapter's constants where it has them, else the defaults.
FusionWeights FusionFor(const model::Model& model);

/// What one question's channels look like as a whole.
struct QuestionScale {
  double best_lexical = 0;  ///< 0: no memory shares a word with it.
  double latent_mean = 0;   ///< Over all allowed memories.
  double latent_deviation = 0;
};

/// The fused score: 1 / (1 + exp(-x)), x = bias + lexical · ln(1 + b) + lexical_share · b / best +
/// latent · z, where b is BM25 and z = (score - mean) / deviation. For one question it rises with
/// each channel (no weight is negative); an absent channel counts as b = 0, z = 0.
double Fuse(const FusionWeights& weights, const QuestionScale& scale, std::optional<double> lexical,
            std::optional<double> latent);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_FUSION_H_
