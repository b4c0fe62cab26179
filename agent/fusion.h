// Two channels, one score: how likely a memory answers the question, in [0, 1].
#ifndef KVASIR_AGENT_FUSION_H_
#define KVASIR_AGENT_FUSION_H_

#include <optional>

#include "model/model.h"

namespace kvasir::agent {

/// Of so many memories `FusionWeights::crowd` takes nothing off.
inline constexpr double kCrowd = 1000;

/// Between a probability and the sum of evidence for it. Logit takes what is outside of (0, 1) as
/// the next inside, by 1e-12.
double Logistic(double x);
double Logit(double p);

/// Constants of the logistic function below. The defaults were fitted by scripts/tune-fusion on
/// training rows for a model whose routers are not trained; an adapter brings its own.
struct FusionWeights {
  double bias = -6.0;
  double coverage = 4.0;       ///< Of the part of the question that a memory's words cover.
  double lexical_share = 4.0;  ///< Of BM25 divided by the best BM25 of this question.
  double latent = 0.0;         ///< Of the latent score.
  double named = 3.0;          ///< Of the memory's title standing in the question.
  /// How likely the memories that a good hit names belong to the answer as well, 0 to 1.
  double link = 0.3;
  /// Taken off for every factor e by which the memories that may answer are more than kCrowd: among
  /// more memories the same evidence says less. Moves all scores of a question alike.
  double crowd = 0.0;
  /// A question whose best memory scores less is not answered: `ask` says so without reading.
  double answerable = 0.0;
  friend bool operator==(const FusionWeights&, const FusionWeights&) = default;
};

/// The adapter's constants, or the defaults when it has none. An adapter from before there were
/// `named` and `link` gets the defaults of these two; another one that it does not name is 0.
FusionWeights FusionFor(const model::Model& model);

/// The lexical channel's word on one memory (storage/lexical.h).
struct LexicalEvidence {
  double score = 0;     ///< BM25
  double coverage = 0;  ///< 0 to 1
};

/// What speaks for one memory; 0 where a channel is absent.
struct Evidence {
  double coverage = 0;       ///< The part of the question that its words cover, 0 to 1.
  double lexical_share = 0;  ///< Its BM25 divided by the best one of this question.
  double latent = 0;         ///< Its latent score: a cosine with trained routers.
  double named = 0;          ///< Strength of its title in the question (storage/titles.h).
  /// The best of (score of a hit) x (strength of this memory's title in the hit's text).
  double link = 0;
  /// The best of (score of a hit) x (how much of this memory's title names the hit has) x (which
  /// part of what the hit leaves open of the question this memory's words cover).
  double bridge = 0;
  double crowd = 0;  ///< ln(memories that may answer / kCrowd)
};

/// What the channels say; the others are left 0. `best_lexical`: the highest BM25 of the
/// question, 0 when no memory shares a word with it.
Evidence EvidenceOf(double best_lexical, const std::optional<LexicalEvidence>& lexical,
                    std::optional<double> latent);

/// The fused score. Of the question alone: p = 1 / (1 + exp(-x)), x = bias + the weighted sum of
/// the evidence but links - crowd weight * crowd. Coverage is what tells a question that no memory
/// answers from one that some do; the others order the memories. A link is another reason, worth
/// little for a memory that shares no word with the question, or the bridge if that is more: p + (1
/// - p) link weight * max(link * (0.1 + 0.9 lexical share), bridge). For one question it rises with
/// each evidence: no weight is negative.
double Fuse(const FusionWeights& weights, const Evidence& evidence);

/// The score of a memory when the latent channel is asked alone, by what SpaceIndex::ScoreApart
/// says of it: how likely it answers the question, as Fuse, but from less.
double ScoreAlone(double apart);

/// The score of a memory that scores `own` beside one (storage::Neighbours) that scores `beside`: a
/// turn of a conversation says little by itself. A better neighbour draws it up by a part of the
/// distance between their logits, a worse one leaves it as it is; so the best stays the best, and
/// no score grows but below it.
double Lift(double own, double beside);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_FUSION_H_
