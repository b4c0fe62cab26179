// Letters a to z, whatever the locale; bytes of other characters are none.
#ifndef KVASIR_AGENT_LETTERS_H_
#define KVASIR_AGENT_LETTERS_H_

namespace kvasir::agent {

constexpr bool IsSmall(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLetter(char c) { return IsSmall(c) || IsCapital(c); }
constexpr char Small(char c) { return IsCapital(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char Capital(char c) { return IsSmall(c) ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_LETTERS_H_
