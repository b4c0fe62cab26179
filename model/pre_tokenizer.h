// Cuts text into words before byte-pair encoding: no token ever crosses a cut.
#ifndef KVASIR_MODEL_PRE_TOKENIZER_H_
#define KVASIR_MODEL_PRE_TOKENIZER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::model {

enum class PreTokenizerKind {
  kGpt2,      ///< Runs of letters, of digits, of others, each with one space in front.
  kSmollm,    ///< The same with every digit alone.
  kLlamaBpe,  ///< Runs of up to three digits; line ends apart.
  kQwen2,     ///< As kLlamaBpe with every digit alone.
};

/// `tokenizer.ggml.pre`: "gpt-2", "smollm", "llama-bpe", "qwen2".
std::optional<PreTokenizerKind> PreTokenizerByName(std::string_view name);

/// Immutable, thread-safe, cheap to copy. The one door to PCRE2.
class PreTokenizer {
 public:
  static Result<PreTokenizer> Create(PreTokenizerKind kind);

  /// Replaces `ends` by the end offset of each word; the words follow one another and cover `text`,
  /// which must be valid UTF-8. Linear in practice; kInternal when a match limit is hit.
  Status Split(std::string_view text, std::vector<size_t>& ends) const;

  PreTokenizerKind kind() const { return kind_; }

 private:
  struct Pattern;
  PreTokenizer(PreTokenizerKind kind, std::shared_ptr<const Pattern> pattern)
      : kind_(kind), pattern_(std::move(pattern)) {}

  PreTokenizerKind kind_;
  std::shared_ptr<const Pattern> pattern_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_PRE_TOKENIZER_H_
