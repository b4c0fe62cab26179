#include "agent/spread.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "agent/letters.h"

namespace kvasir::agent {
namespace {

// Chosen on training rows (docs/recall.md): how much less a term counts that was said in full, from
// how many terms on a question asks for several things, and how many hits are taken.
constexpr double kSaid = 0.2;
constexpr std::size_t kLongQuestion = 7;
constexpr std::size_t kTaken = 10;

// Words by which a question asks for one thing and another, in lower case.
constexpr std::array<std::string_view, 7> kJoining = {"and",  "both",    "but",  "or",
                                                      "than", "whereas", "while"};

/// Whether the question joins things, by such a word, a comma or a semicolon.
bool Joins(std::string_view question) {
  std::string word;
  for (std::size_t i = 0; i <= question.size(); ++i) {
    const char byte = i < question.size() ? question[i] : ' ';
    if (IsLetter(byte)) {
      word += Small(byte);
      continue;
    }
    if (std::ranges::find(kJoining, word) != kJoining.end()) return true;
    word.clear();
    if (byte == ';') return true;
    const bool number_goes_on = i + 1 < question.size() && question[i + 1] != ' ';
    if (byte == ',' && !number_goes_on) return true;
  }
  return false;
}

/// The question's terms, and how much each counts still.
class Terms {
 public:
  explicit Terms(const std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) {
      most_.resize(std::max(most_.size(), candidate.terms.size()));
      for (std::size_t t = 0; t < candidate.terms.size(); ++t) {
        most_[t] = std::max(most_[t], candidate.terms[t]);
      }
    }
    left_.assign(most_.size(), 1.0);
  }

  std::size_t size() const { return most_.size(); }

  void Say(const Candidate& taken) {
    for (std::size_t t = 0; t < taken.terms.size(); ++t) {
      if (most_[t] > 0) left_[t] *= 1 - kSaid * taken.terms[t] / most_[t];
    }
  }

  /// The part of a candidate's words that counts still.
  double Fresh(const Candidate& candidate) const {
    double all = 0;
    double fresh = 0;
    for (std::size_t t = 0; t < candidate.terms.size(); ++t) {
      all += candidate.terms[t];
      fresh += candidate.terms[t] * left_[t];
    }
    return all > 0 ? fresh / all : 1;
  }

 private:
  std::vector<float> most_;
  std::vector<double> left_;
};

}  // namespace

void Spread(const FusionWeights& weights, std::string_view question,
            std::vector<Candidate>* ranked) {
  Terms terms(*ranked);
  if (terms.size() < kLongQuestion || !Joins(question)) return;
  struct Rest {
    Candidate candidate;
    double logit;    // Of its score, at first.
    double lexical;  // What of that its words gave.
  };
  std::vector<Rest> rest;
  rest.reserve(ranked->size());
  for (Candidate& candidate : *ranked) {
    const Evidence& evidence = candidate.evidence;
    const double lexical =
        weights.coverage * evidence.coverage + weights.lexical_share * evidence.lexical_share;
    const double logit = Logit(candidate.score);
    rest.push_back({std::move(candidate), logit, lexical});
  }
  const auto better = [](const Rest& a, const Rest& b) { return Better(a.candidate, b.candidate); };
  const std::size_t taken = std::min(kTaken, rest.size());
  for (std::size_t place = 1; place < taken; ++place) {
    terms.Say(rest[place - 1].candidate);
    const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(place);
    for (auto one = begin; one != rest.end(); ++one) {
      one->candidate.score =
          Logistic(one->logit - one->lexical * (1 - terms.Fresh(one->candidate)));
    }
    std::iter_swap(begin, std::min_element(begin, rest.end(), better));
  }
  std::sort(rest.begin() + static_cast<std::ptrdiff_t>(taken), rest.end(), better);
  for (std::size_t i = 0; i < rest.size(); ++i) (*ranked)[i] = std::move(rest[i].candidate);
}

}  // namespace kvasir::agent
