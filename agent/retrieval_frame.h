// The tokens of Memory Interleave (msa.md §6), for a checkpoint that was trained to name documents.
#ifndef KVASIR_AGENT_RETRIEVAL_FRAME_H_
#define KVASIR_AGENT_RETRIEVAL_FRAME_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agent/framing.h"
#include "kvasir/status.h"
#include "model/encoder.h"
#include "model/model.h"
#include "model/number_trie.h"

namespace kvasir::agent {

/// Control tokens are put in by id; what a question or a memory says never becomes one. Immutable,
/// thread-safe; borrows the framing.
class RetrievalFrame {
 public:
  using Tokens = model::TokenSequence;

  /// Nothing for a model that was not trained to generate document numbers: no msa checkpoint, or
  /// one with a kvasir adapter, or a vocabulary without `<|object_ref_end|>`.
  static Result<std::optional<RetrievalFrame>> Make(const model::Model& model,
                                                    const Framing& framing);

  /// The framed question; all of it routes in the first round, all but its last token later.
  Result<Tokens> Question(std::string_view text) const { return framing_->Question(text); }
  /// `<|im_end|>\n<|im_start|>`, behind the question; never routes.
  const Tokens& tail() const { return tail_; }

  /// What may be generated next: the numbers `offered`, the end of retrieval, and, once a number
  /// was `given`, the end of this round's numbers.
  Result<model::NumberTrie> Trie(std::span<const std::uint64_t> offered, bool given) const;
  /// What the trie's marks are called instead of a number.
  static constexpr std::uint64_t kEndOfNumbers = ~std::uint64_t{0};
  static constexpr std::uint64_t kEndOfRetrieval = kEndOfNumbers - 1;

  /// `[12]. TITLE\nTEXT\n`, as an original text is appended; routes in the next round.
  Result<Tokens> Passage(std::uint64_t number, std::string_view title, std::string_view text) const;
  /// `<|object_ref_end|>`, behind a round's numbers and behind its texts.
  model::TokenId end_of_numbers() const { return end_of_numbers_; }
  /// `<End-of-Retrieve>`: one token, or its letters where the vocabulary has none.
  const Tokens& end_of_retrieval() const { return end_of_retrieval_; }
  /// `<|im_start|>The user's question is: Q\n<|object_ref_end|>`: then the answer follows.
  Result<Tokens> AnswerOpening(std::string_view question) const;

 private:
  explicit RetrievalFrame(const Framing& framing) : framing_(&framing) {}

  const Framing* framing_;
  model::TokenId im_start_ = 0;
  model::TokenId end_of_numbers_ = 0;
  Tokens tail_;
  Tokens end_of_retrieval_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_RETRIEVAL_FRAME_H_
