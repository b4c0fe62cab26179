// The part of a passage that speaks of a question: what a small reader should see of it.
#ifndef KVASIR_AGENT_EXCERPT_H_
#define KVASIR_AGENT_EXCERPT_H_

#include <cstddef>
#include <string_view>

#include "kvasir/types.h"

namespace kvasir::agent {

/// A run of whole sentences of `text`, at most `most` bytes, with the most of the question's terms
/// (distinct, stemmed; rare ones among the sentences count more); of equals the first. All of
/// `text` when it is not longer; the start of a sentence longer than `most`, cut between words.
Span Excerpt(std::string_view text, std::string_view question, std::size_t most);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_EXCERPT_H_
