// The exact tokens that the model sees of a segment and of a question (msa.md §3.1, §6).
#ifndef KVASIR_AGENT_FRAMING_H_
#define KVASIR_AGENT_FRAMING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "model/encoder.h"
#include "model/model.h"

namespace kvasir::agent {

/// "[7]": how a memory's number stands in what a model reads and writes.
std::string NumberMark(std::uint64_t number);

/// Whether the model routes as its reference does: an msa checkpoint without a kvasir adapter.
bool RoutesAsPublished(const model::Model& model);

/// Puts frames around texts, control tokens by id: nothing that a text says can become a control
/// token. An adapter brings its own frames; a document without one reads
/// `<|im_start|>[7]. TITLE\nTEXT[7]<|im_end|>`. Immutable, thread-safe.
class Framing {
 public:
  /// kUnavailable when the model has no tokenizer.
  static Result<Framing> Make(const model::Model& model);

  /// One segment of memory `number`; every segment carries the title (at most 64 tokens of it).
  /// Longer than the model's context: cut at its end.
  Result<model::TokenSequence> Segment(std::uint64_t number, std::string_view title,
                                       std::string_view text) const;
  /// Tokens that a segment of this memory may have besides its frame.
  Result<std::int64_t> Budget(std::uint64_t number, std::string_view title) const;

  /// A question that routes; its end is cut where it is longer than a segment. As the reference
  /// does, a checkpoint's frame and its question are tokenised as one text.
  Result<model::TokenSequence> Question(std::string_view text) const;

  const model::Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  using Tokens = model::TokenSequence;

  explicit Framing(model::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  Result<Tokens> Title(std::string_view title) const;
  Result<Tokens> Body(std::uint64_t number, std::string_view title, std::string_view text) const;

  model::Tokenizer tokenizer_;
  Tokens document_prefix_;
  Tokens document_suffix_;
  Tokens query_prefix_;
  Tokens query_suffix_;
  std::optional<model::TextTemplate> published_query_;  // Where the model routes as published.
  bool numbered_ = true;  // The document's number stands before and after the text.
  std::size_t most_tokens_ = 0;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_FRAMING_H_
