// How well ranked answers meet the questions' gold memories.
#ifndef SDK_CLI_EVAL_METRICS_H_
#define SDK_CLI_EVAL_METRICS_H_

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace kvasir::cli {

/// How deep a ranking is looked at.
inline constexpr std::size_t kEvalDepth = 10;

/// Means over the questions so far. R@k is the share of a question's gold memories among the first
/// k; MRR and nDCG look at the first ten, gains are 0 or 1; all-gold@10 counts questions with every
/// gold memory among the first ten.
struct EvalMetrics {
  double recall_at_1 = 0;
  double recall_at_5 = 0;
  double recall_at_10 = 0;
  double mrr = 0;
  double ndcg_at_10 = 0;
  double all_gold_at_10 = 0;
  double ms_per_question = 0;
};

class EvalSums {
 public:
  /// `ranked`: ids, best first, each once. `gold` is not empty.
  void Add(const std::vector<std::string>& ranked, const std::set<std::string>& gold,
           std::chrono::duration<double, std::milli> took);

  std::size_t questions() const { return questions_; }
  EvalMetrics Means() const;

 private:
  EvalMetrics sums_;
  std::size_t questions_ = 0;
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_EVAL_METRICS_H_
