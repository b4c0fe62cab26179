#include "agent/words.h"

#include "agent/letters.h"

namespace kvasir::agent {

std::string_view WordAt(std::string_view text, std::size_t begin) {
  const auto is_letter = [&](std::size_t i) {
    return i < text.size() && (IsLetter(text[i]) || (text[i] & 0x80) != 0);
  };
  std::size_t end = begin;
  while (is_letter(end) || (end > begin && text[end] == '\'' && is_letter(end + 1))) ++end;
  return text.substr(begin, end - begin);
}

bool BeginsSentence(std::string_view text, std::string_view word) {
  auto at = static_cast<std::size_t>(word.data() - text.data());
  constexpr std::string_view kBetween = " \t\"'([";
  while (at > 0 && kBetween.find(text[at - 1]) != std::string_view::npos) --at;
  constexpr std::string_view kEnds = ".!?:\n\r";
  return at == 0 || kEnds.find(text[at - 1]) != std::string_view::npos;
}

std::string Names(std::string_view text) {
  std::string names;
  ForEachWord(text, [&](std::string_view word) {
    if (!IsCapital(word.front()) || BeginsSentence(text, word)) return;
    if (!names.empty()) names += ' ';
    names += word;
  });
  return names;
}

}  // namespace kvasir::agent
