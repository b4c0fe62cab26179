// What a memory says itself, where a small reader announces an answer and then gives none.
#ifndef KVASIR_AGENT_QUOTE_H_
#define KVASIR_AGENT_QUOTE_H_

#include <span>
#include <string>
#include <string_view>

#include "agent/reading.h"

namespace kvasir::agent {

/// Whether a reply ends before it says anything: it is empty, or stops at a colon.
bool LeavesUnsaid(std::string_view reply);

/// What completes such a reply: the sentence or two (at most 240 bytes, on one line) of the best
/// passage that share the most with the question. Empty without passages.
std::string Quote(std::string_view question, std::span<const Passage> passages);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_QUOTE_H_
