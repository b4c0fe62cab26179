#include "sdk/cli/eval_metrics.h"

#include <algorithm>
#include <cmath>

namespace kvasir::cli {

void EvalSums::Add(const std::vector<std::string>& ranked, const std::set<std::string>& gold,
                   std::chrono::duration<double, std::milli> took) {
  double found = 0;
  double gain = 0;
  double ideal = 0;
  double reciprocal = 0;
  double at_1 = 0;
  double at_5 = 0;
  for (std::size_t rank = 1; rank <= kEvalDepth; ++rank) {
    const double discount = 1.0 / std::log2(static_cast<double>(rank) + 1.0);
    if (rank <= gold.size()) ideal += discount;
    if (rank <= ranked.size() && gold.contains(ranked[rank - 1])) {
      if (found == 0) reciprocal = 1.0 / static_cast<double>(rank);
      ++found;
      gain += discount;
    }
    if (rank == 1) at_1 = found;
    if (rank == 5) at_5 = found;
  }
  const auto all = static_cast<double>(gold.size());
  sums_.recall_at_1 += at_1 / all;
  sums_.recall_at_5 += at_5 / all;
  sums_.recall_at_10 += found / all;
  sums_.mrr += reciprocal;
  sums_.ndcg_at_10 += gain / ideal;
  sums_.all_gold_at_10 += found == all ? 1 : 0;
  sums_.ms_per_question += took.count();
  ++questions_;
}

EvalMetrics EvalSums::Means() const {
  const double n = std::max<double>(1, static_cast<double>(questions_));
  return {sums_.recall_at_1 / n, sums_.recall_at_5 / n,    sums_.recall_at_10 / n,   sums_.mrr / n,
          sums_.ndcg_at_10 / n,  sums_.all_gold_at_10 / n, sums_.ms_per_question / n};
}

}  // namespace kvasir::cli
