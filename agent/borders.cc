#include "agent/borders.h"

#include <algorithm>

#include "model/utf8.h"

namespace kvasir::agent {
namespace {

bool IsSpace(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Full stops of scripts that put no space behind them.
bool IsWideStop(char32_t c) {
  return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61 || c == 0x0964;
}

bool IsStop(char32_t c) { return c == '.' || c == '!' || c == '?' || c == 0x2026; }

bool IsClause(char32_t c) { return c == ',' || c == ';' || c == ':' || c == 0x2014; }

// What may stand between a stop and the end of its sentence.
bool IsCloser(char32_t c) {
  return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == 0x2019 || c == 0x201D ||
         c == 0x00BB || c == 0x300D || c == 0x300F || c == 0xFF09;
}

// Reads a text from left to right and knows what the last visible characters were.
class Scanner {
 public:
  /// The border before `next`, which follows white space that held `newlines` line ends.
  BorderKind AfterSpace(char32_t next, int newlines) const {
    if (newlines >= 2) return BorderKind::kParagraph;
    if (newlines == 1) return BorderKind::kLine;
    // "e.g. this" and "J. Smith" end no sentence.
    const bool lower = next >= 'a' && next <= 'z';
    if (stop_ && !lower && !initial_) return BorderKind::kSentence;
    return IsClause(last_) ? BorderKind::kClause : BorderKind::kWord;
  }

  void See(char32_t c) {
    if (IsStop(c)) {
      initial_ = c == '.' && word_length_ == 1 && last_ >= 'A' && last_ <= 'Z';
      stop_ = true;
    } else if (!IsCloser(c)) {
      stop_ = false;
    }
    last_ = c;
    ++word_length_;
  }
  void SeeSpace() { word_length_ = 0; }

 private:
  char32_t last_ = 0;
  bool stop_ = false;
  bool initial_ = false;
  int word_length_ = 0;
};

}  // namespace

std::vector<Border> FindBorders(std::string_view text, std::size_t begin, std::size_t end,
                                std::span<const std::size_t> turns) {
  std::vector<Border> borders;
  Scanner scanner;
  auto turn = std::upper_bound(turns.begin(), turns.end(), begin);
  int newlines = 0;
  bool space = false;
  char32_t last = 0;
  for (std::size_t position = begin; position < end;) {
    const std::size_t here = position;
    const char32_t c = model::NextCodePoint(text, position);
    if (turn != turns.end() && *turn == here) {
      borders.push_back({here, BorderKind::kParagraph});
      space = false;
      newlines = 0;
      ++turn;
    }
    if (IsSpace(c)) {
      scanner.SeeSpace();
      newlines += c == '\n' || c == 0x2029 ? 1 : 0;
      space = true;
      continue;
    }
    if (space && here > begin) borders.push_back({here, scanner.AfterSpace(c, newlines)});
    if (!space && IsWideStop(last) && !IsCloser(c) && !IsWideStop(c)) {
      borders.push_back({here, BorderKind::kSentence});
    }
    scanner.See(c);
    space = false;
    newlines = 0;
    last = c;
  }
  if (end == text.size() && end > begin) borders.push_back({end, BorderKind::kParagraph});
  return borders;
}

}  // namespace kvasir::agent
