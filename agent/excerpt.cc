#include "agent/excerpt.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/borders.h"
#include "model/utf8.h"
#include "storage/analyzer.h"
#include "storage/query_terms.h"

namespace kvasir::agent {
namespace {

struct Sentence {
  Span span;
  std::vector<std::size_t> terms;  // Which of the question's terms it has, ascending.
};

// Sentences of `text`; none is longer than `most`.
std::vector<Span> Cut(std::string_view text, std::size_t most) {
  std::vector<Span> spans;
  std::size_t begin = 0;
  std::size_t last = 0;  // The last border of any kind.
  for (const Border& border : FindBorders(text, 0, text.size(), {})) {
    if (border.position - begin > most && last > begin) {
      spans.push_back({begin, last});
      begin = last;
    }
    last = border.position;
    if (border.kind < BorderKind::kSentence && border.position != text.size()) continue;
    if (border.position > begin) spans.push_back({begin, border.position});
    begin = border.position;
  }
  if (begin < text.size()) spans.push_back({begin, text.size()});
  return spans;
}

std::vector<Sentence> Analyse(std::string_view text, std::string_view question, std::size_t most) {
  std::map<std::string, std::size_t> asked;
  for (std::string& term : storage::QueryTerms(question))
    asked.emplace(std::move(term), asked.size());
  std::vector<Sentence> sentences;
  for (const Span span : Cut(text, most)) {
    std::set<std::size_t> found;
    storage::AnalyzeText(text.substr(span.begin, span.end - span.begin),
                         storage::TermForms::kDocument, [&](std::string_view term) {
                           const auto at = asked.find(std::string(term));
                           if (at != asked.end()) found.insert(at->second);
                         });
    sentences.push_back({span, {found.begin(), found.end()}});
  }
  return sentences;
}

// ln(1 + sentences / sentences with the term): 0 for one that no sentence has.
std::map<std::size_t, double> Weights(const std::vector<Sentence>& sentences) {
  std::map<std::size_t, double> weights;
  for (const Sentence& sentence : sentences) {
    for (const std::size_t term : sentence.terms) ++weights[term];
  }
  for (auto& [term, weight] : weights) {
    weight = std::log1p(static_cast<double>(sentences.size()) / weight);
  }
  return weights;
}

}  // namespace

Span Excerpt(std::string_view text, std::string_view question, std::size_t most) {
  if (text.size() <= most) return {0, text.size()};
  const std::vector<Sentence> sentences = Analyse(text, question, most);
  const std::map<std::size_t, double> weights = Weights(sentences);
  Span best{0, 0};
  double best_score = -1;
  for (std::size_t first = 0; first < sentences.size(); ++first) {
    std::set<std::size_t> seen;
    double score = 0;
    for (std::size_t last = first; last < sentences.size(); ++last) {
      const Span run{sentences[first].span.begin, sentences[last].span.end};
      if (last > first && run.end - run.begin > most) break;
      for (const std::size_t term : sentences[last].terms) {
        if (seen.insert(term).second) score += weights.at(term);
      }
      // What follows a match explains it as often as what precedes: a longer run wins a tie that
      // began with it.
      const bool longer = score == best_score && run.begin == best.begin;
      if (score > best_score || longer) {
        best = run;
        best_score = score;
      }
    }
  }
  best.end = model::CodePointStart(text, std::min<std::uint64_t>(best.end, best.begin + most));
  return best;
}

}  // namespace kvasir::agent
