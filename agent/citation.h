// Which of the passages that a reasoner read stand behind its answer.
#ifndef KVASIR_AGENT_CITATION_H_
#define KVASIR_AGENT_CITATION_H_

#include <span>
#include <string_view>
#include <vector>

#include "agent/reading.h"
#include "kvasir/requests.h"

namespace kvasir::agent {

/// The passages that the answer names ("[12]"), else those that share most of its words beyond the
/// question's own, else most words of both; none when the answer says that memory does not know. By
/// document number.
std::vector<Citation> Cite(std::string_view answer, std::string_view question,
                           std::span<const Passage> passages);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_CITATION_H_
