// Where a text may be cut with the least harm: turns, paragraphs, lines, sentences, words.
#ifndef KVASIR_AGENT_BORDERS_H_
#define KVASIR_AGENT_BORDERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kvasir::agent {

/// The stronger a border, the sooner a text is cut there.
enum class BorderKind : std::uint8_t { kWord, kClause, kSentence, kLine, kParagraph };

/// A place between two characters: text before `position` goes left. White space at a border stays
/// on its left side.
struct Border {
  std::size_t position = 0;
  BorderKind kind = BorderKind::kWord;
};

/// All borders in (begin, end], ascending. `text` is UTF-8. `turns` are positions that count as
/// paragraph borders whatever stands there. One pass.
std::vector<Border> FindBorders(std::string_view text, std::size_t begin, std::size_t end,
                                std::span<const std::size_t> turns);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_BORDERS_H_
