// Cuts a text into segments that the model reads one by one (docs/adr/0002).
#ifndef KVASIR_AGENT_SEGMENTER_H_
#define KVASIR_AGENT_SEGMENTER_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "kvasir/types.h"
#include "model/tokenizer.h"

namespace kvasir::agent {

/// Tokens of a segment, its framing included. The routers were trained on passages of that length,
/// and positions stay within what small models have seen.
inline constexpr std::int64_t kSegmentTokens = 512;

/// `text` without the white space (ASCII) around it: what of a segment is encoded.
std::string_view Trimmed(std::string_view text);

/// Segments of `text`: spans that follow one another, cover every byte, never cut a character, and
/// hold at most `budget` tokens each when trimmed and tokenised alone. Cut at turns and paragraphs,
/// else at lines and sentences, else at words, else anywhere; the last one is not a tiny rest.
/// `text` is UTF-8 and not empty; `turns` ascending, see FindBorders. Cost: about three
/// tokenisations of the text. Thread-safe.
Result<std::vector<Span>> SplitText(const model::Tokenizer& tokenizer, std::string_view text,
                                    std::span<const std::size_t> turns, std::int64_t budget);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SEGMENTER_H_
