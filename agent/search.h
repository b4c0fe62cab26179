// One question to both channels of a space: candidates with their scores, best first.
#ifndef KVASIR_AGENT_SEARCH_H_
#define KVASIR_AGENT_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/bank.h"
#include "agent/fusion.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "storage/document_set.h"
#include "storage/store.h"

namespace kvasir::agent {

struct SearchQuery {
  storage::SpaceId space{};
  std::string_view text;
  const storage::DocumentSet* allowed = nullptr;  ///< Decided before anything is scored.
  bool latent = true;
  bool lexical = true;
  bool explain = false;
  bool exact = false;  ///< RecallRequest::exact
  bool wait = true;    ///< RecallRequest::wait
  /// Of the lexical channel: memories whose title stands in the question, or in one of the best
  /// memories, or shares a name with one, gain (Evidence).
  bool titles = true;
  std::size_t candidates = 100;  ///< Of each channel; their union is scored by both.
};

struct Candidate {
  storage::DocumentNumber document = 0;
  std::uint32_t segment = 0;  ///< The lexical channel's best where it proposed the memory.
  storage::Generation generation = 0;
  double score = 0;  ///< Fused.
  Evidence evidence;
  std::optional<double> latent;
  std::optional<LexicalEvidence> lexical;
  std::vector<float> terms;        ///< What each of the question's terms says of that (lexical.h).
  std::vector<LayerScore> layers;  ///< With `explain`, of the latent channel's best segment.
};

/// Higher score first, then higher latent score, then lower document number.
bool Better(const Candidate& a, const Candidate& b);

/// The union of both channels' best, in the order of Better. A memory that
/// was edited between the two channels appears once, with what the newer version scored. The model
/// is needed for the latent channel only. Thread-safe.
Result<std::vector<Candidate>> Search(Bank& bank, const SearchQuery& query);

/// The text of one segment, a part of the document's; empty if an edited one has fewer now.
std::string_view SegmentText(const storage::Document& document, std::uint32_t segment);

/// The other memories whose title stands at the beginning of a segment: whom Search links it to.
Result<std::vector<storage::TitleMention>> TitlesIn(Bank& bank, storage::SpaceId space,
                                                    const storage::Document& document,
                                                    std::uint32_t segment);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_SEARCH_H_
