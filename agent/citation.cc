#include "agent/citation.h"

#include <algorithm>
#include <set>
#include <string>

#include "agent/framing.h"
#include "agent/letters.h"
#include "agent/prompt.h"
#include "agent/segmenter.h"

namespace kvasir::agent {
namespace {

// A passage is cited when it has nearly as many of the answer's words as the best one.
constexpr double kShareOfBest = 0.8;

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || IsLetter(c);
}

// Words of four letters or more and numbers: enough to tell passages apart.
std::set<std::string> Words(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  const auto end_word = [&] {
    const bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    if (word.size() >= 4 || number) words.insert(word);
    word.clear();
  };
  for (const char c : text) {
    if (IsWordByte(c)) {
      word += Small(c);
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

std::size_t Shared(const std::set<std::string>& wanted, const Passage& passage) {
  const std::set<std::string> there = Words(passage.title + "\n" + passage.text);
  return static_cast<std::size_t>(std::count_if(
      wanted.begin(), wanted.end(), [&](const std::string& word) { return there.contains(word); }));
}

std::vector<const Passage*> Named(std::string_view answer, std::span<const Passage> passages) {
  std::vector<const Passage*> named;
  for (const Passage& passage : passages) {
    if (answer.find(NumberMark(passage.key.document)) != std::string_view::npos)
      named.push_back(&passage);
  }
  return named;
}

// The passages that share the most of `wanted`.
std::vector<const Passage*> Overlapping(const std::set<std::string>& wanted,
                                        std::span<const Passage> passages) {
  std::vector<std::size_t> shared;
  for (const Passage& passage : passages) shared.push_back(Shared(wanted, passage));
  const std::size_t best = shared.empty() ? 0 : *std::max_element(shared.begin(), shared.end());
  std::vector<const Passage*> overlapping;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (shared[i] > 0 &&
        static_cast<double>(shared[i]) >= kShareOfBest * static_cast<double>(best)) {
      overlapping.push_back(&passages[i]);
    }
  }
  return overlapping;
}

}  // namespace

std::vector<Citation> Cite(std::string_view answer, std::string_view question,
                           std::span<const Passage> passages) {
  const std::string_view refusal = kNotInMemory.substr(0, kNotInMemory.size() - 1);
  if (Trimmed(answer).starts_with(refusal)) return {};
  std::vector<const Passage*> cited = Named(answer, passages);
  std::set<std::string> own = Words(answer);
  std::set<std::string> both = Words(question);
  for (const std::string& word : both) own.erase(word);
  if (cited.empty()) cited = Overlapping(own, passages);
  if (cited.empty()) {  // "3" for "three": what the question and the answer say together.
    both.merge(own);
    cited = Overlapping(both, passages);
  }
  std::sort(cited.begin(), cited.end(),
            [](const Passage* a, const Passage* b) { return a->key < b->key; });
  std::vector<Citation> citations;
  citations.reserve(cited.size());
  for (const Passage* passage : cited) {
    citations.push_back({.id = passage->id,
                         .number = passage->key.document,
                         .title = passage->title,
                         .span = passage->span,
                         .text = passage->text});
  }
  return citations;
}

}  // namespace kvasir::agent
