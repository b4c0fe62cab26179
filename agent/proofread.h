// A question as the memories write it: what a hurried person types, for the model to hear.
#ifndef KVASIR_AGENT_PROOFREAD_H_
#define KVASIR_AGENT_PROOFREAD_H_

#include <span>
#include <string>
#include <string_view>

namespace kvasir::agent {

/// Whether a question is typed without regard to capitals: none behind its first letter, or nothing
/// else in two words or more. A model knows names by them.
bool IsInOneCase(std::string_view question);

/// What says how words are written: capitals at the beginning of a sentence say nothing, those of a
/// title do.
struct WrittenText {
  std::string_view title;
  std::string_view text;
};

/// `question` with its words as `texts`, the best memories' own, mostly write them:
/// - one in one case gets their capitals, one at its beginning, and a question mark if it begins
///   like a question;
/// - a word whose term (storage/analyzer.h) is one of `unknown`, those that no memory has, gives
///   way to one that is a typing error away (storage/spelling.h), if the texts have one and no more
///   than eight are unknown.
/// Letters beyond a to z keep their case. Everything else stays byte for byte. Takes about 100 us
/// for ten texts of 1 KB. docs/recall.md has the study.
std::string Proofread(std::string_view question, std::span<const std::string> unknown,
                      std::span<const WrittenText> texts);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_PROOFREAD_H_
