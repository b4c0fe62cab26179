// What `ask` reads: the passages that its hops choose, with their original text.
#ifndef KVASIR_AGENT_READING_H_
#define KVASIR_AGENT_READING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/bank.h"
#include "agent/search.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "storage/document_set.h"
#include "storage/store.h"

namespace kvasir::agent {

/// With AskRequest::explain: so many of the best of each hop are shown, and those read.
inline constexpr std::size_t kExplained = 8;

/// What is read of one chosen memory: the part of its best segment that speaks of the question.
struct Passage {
  storage::SegmentKey key;
  storage::Generation generation = 0;
  std::string id;
  std::string title;
  std::string text;  ///< The original bytes of `span`.
  Span span;
  double score = 0;
  std::uint32_t hop = 1;
};

struct Reading {
  std::vector<Passage> passages;  ///< As they were chosen.
  std::vector<HopTrace> hops;
  storage::DocumentSet allowed;  ///< What the request let through.
};

/// A whole segment of a memory; nothing when the memory has no such segment (any more).
std::optional<Passage> PassageOf(storage::SpaceId space, storage::Document document,
                                 std::uint32_t segment, double score, std::uint32_t hop);

/// Adds candidates as hits to the trace of hop `hop`, which is made if nothing was read. Left out:
/// what was forgotten or edited to fewer segments since it was scored.
Status ShowHop(Bank& bank, storage::SpaceId space, std::span<const Candidate> shown,
               std::uint32_t hop, Reading* reading);

/// Chooses passages for the question, then, hop by hop, for the question together with what the hop
/// before found (msa.md §6: question and last appended text route). Ends when a hop finds nothing
/// new. Events of kind kHop go to the request. Reads no memory below request.least_trust. A
/// checkpoint that routes as published but was not trained to name documents chooses by its routing
/// scores alone.
Result<Reading> Read(Bank& bank, storage::SpaceId space, const AskRequest& request,
                     const std::stop_token& stop);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_READING_H_
