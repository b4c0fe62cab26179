#include "agent/proofread.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/letters.h"
#include "agent/words.h"
#include "storage/analyzer.h"
#include "storage/spelling.h"

namespace kvasir::agent {
namespace {

// Words that questions begin with, in lower case.
constexpr std::array<std::string_view, 27> kAsking = {
    "are",  "can",   "could", "did",  "do",    "does",   "had", "has",  "have",
    "how",  "is",    "may",   "must", "shall", "should", "was", "were", "what",
    "when", "where", "which", "who",  "whom",  "whose",  "why", "will", "would"};

// A question with more words that no memory has is in another language, or about something else.
constexpr std::size_t kMostMended = 8;

std::string Lower(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), Small);
  return lower;
}

std::string Capitalised(std::string word) {
  if (!word.empty()) word.front() = Capital(word.front());
  return word;
}

// How the texts write their words.
class Spellings {
 public:
  explicit Spellings(std::span<const WrittenText> texts) {
    for (const WrittenText& written : texts) {
      ForEachWord(written.title, [&](std::string_view word) { Add(word); });
      ForEachWord(written.text, [&](std::string_view word) {
        if (!BeginsSentence(written.text, word)) Add(word);
      });
    }
  }

  // Mostly; of equally frequent ones the first. `lower` is in lower case.
  std::optional<std::string> Of(const std::string& lower) const {
    const auto found = words_.find(lower);
    if (found == words_.end()) return std::nullopt;
    return found->second.ways.at(static_cast<std::size_t>(
        std::ranges::max_element(found->second.counts) - found->second.counts.begin()));
  }

  // A word that is a typing error away: one that begins alike, then the most frequent.
  std::optional<std::string> Near(const std::string& lower) const {
    const std::string* best = nullptr;
    std::pair<bool, std::size_t> most;
    for (const std::string& near : storage::NearSpellings(lower)) {
      const auto found = words_.find(near);
      if (found == words_.end()) continue;
      const std::pair key(near.front() == lower.front(), found->second.all);
      if (best != nullptr && key <= most) continue;
      best = &found->first;
      most = key;
    }
    return best == nullptr ? std::nullopt : Of(*best);
  }

 private:
  struct Word {
    std::vector<std::string> ways;
    std::vector<std::size_t> counts;
    std::size_t all = 0;
  };

  void Add(std::string_view as_written) {
    Word& word = words_[Lower(as_written)];
    const auto way = std::ranges::find(word.ways, as_written);
    const auto place = static_cast<std::size_t>(way - word.ways.begin());
    if (way == word.ways.end()) {
      word.ways.emplace_back(as_written);
      word.counts.push_back(0);
    }
    ++word.counts[place];
    ++word.all;
  }

  std::map<std::string, Word> words_;
};

bool IsUnknown(const std::string& word, std::span<const std::string> unknown) {
  if (unknown.empty() || unknown.size() > kMostMended) return false;
  return std::ranges::any_of(
      storage::Terms(word, storage::TermForms::kQuestion),
      [&](const std::string& term) { return std::ranges::find(unknown, term) != unknown.end(); });
}

std::string WithMark(std::string question) {
  const std::string first = Lower(WordAt(question, 0));
  if (std::ranges::find(kAsking, first) == kAsking.end()) return question;
  const char last = question.back();
  if (WordAt(question, question.size() - 1).empty() && !(last >= '0' && last <= '9')) {
    return question;
  }
  return question + "?";
}

}  // namespace

bool IsInOneCase(std::string_view question) {
  std::size_t words = 0;
  std::size_t small = 0;
  std::size_t capitals = 0;
  bool begins_with_capital = false;
  bool beyond_a_to_z = false;
  ForEachWord(question, [&](std::string_view word) {
    if (words++ == 0) begins_with_capital = IsCapital(word.front());
    small += static_cast<std::size_t>(std::ranges::count_if(word, IsSmall));
    capitals += static_cast<std::size_t>(std::ranges::count_if(word, IsCapital));
    beyond_a_to_z =
        beyond_a_to_z || std::ranges::any_of(word, [](char c) { return (c & 0x80) != 0; });
  });
  // In a script without capitals those of an abbreviation are meant.
  if (small == 0) return capitals > 0 && words > 1 && !beyond_a_to_z;
  return capitals == (begins_with_capital ? 1 : 0);
}

std::string Proofread(std::string_view question, std::span<const std::string> unknown,
                      std::span<const WrittenText> texts) {
  const Spellings spellings(texts);
  const bool in_one_case = IsInOneCase(question);
  std::string read;
  for (std::size_t i = 0; i < question.size();) {
    const std::string_view word = WordAt(question, i);
    if (word.empty()) {
      read += question[i++];
      continue;
    }
    i += word.size();
    const std::string lower = Lower(word);
    std::string better = in_one_case ? lower : std::string(word);
    if (const auto near = IsUnknown(lower, unknown) ? spellings.Near(lower) : std::nullopt) {
      better = IsCapital(word.front()) && !in_one_case ? Capitalised(*near) : *near;
    } else if (in_one_case) {
      better = spellings.Of(lower).value_or(better);
    }
    read += better;
  }
  return in_one_case ? WithMark(Capitalised(std::move(read))) : read;
}

}  // namespace kvasir::agent
