// The words of a text as they are written.
#ifndef KVASIR_AGENT_WORDS_H_
#define KVASIR_AGENT_WORDS_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace kvasir::agent {

/// The word that begins at `begin`, or nothing: letters of every script; apostrophes inside.
std::string_view WordAt(std::string_view text, std::size_t begin);

/// Calls `visit` with each word, a part of `text`.
template <typename Visit>
void ForEachWord(std::string_view text, Visit visit) {
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view word = WordAt(text, i);
    if (!word.empty()) visit(word);
    i += std::max<std::size_t>(word.size(), 1);
  }
}

/// Whether the capital of `word`, a part of `text`, may be that of a sentence.
bool BeginsSentence(std::string_view text, std::string_view word);

/// The words that have a capital which is not that of a sentence, a space between them.
std::string Names(std::string_view text);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_WORDS_H_
