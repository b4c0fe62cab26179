// The compiled tables of a tokenizer.
#ifndef KVASIR_MODEL_TOKENIZER_DATA_H_
#define KVASIR_MODEL_TOKENIZER_DATA_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/pre_tokenizer.h"
#include "model/tokenizer_bpe.h"
#include "model/tokenizer_source.h"
#include "model/tokenizer_special.h"

namespace kvasir::model {

struct TokenizerData {
  TokenizerData(PreTokenizer words, BpeMergeTable table)
      : pre_tokenizer(std::move(words)), merges(std::move(table)) {}

  /// The bytes that token `id` stands for.
  std::string_view Bytes(TokenId id) const {
    const auto at = static_cast<size_t>(id);
    return std::string_view(bytes).substr(starts[at], starts[at + 1] - starts[at]);
  }
  bool Knows(TokenId id) const { return id >= 0 && static_cast<size_t>(id) < kinds.size(); }

  std::string bytes;             ///< All tokens' bytes, one after another.
  std::vector<uint64_t> starts;  ///< Where each begins, and the end.
  std::vector<TokenKind> kinds;
  std::array<TokenId, 256> byte_tokens = {};
  PreTokenizer pre_tokenizer;
  BpeMergeTable merges;
  std::unordered_map<std::string_view, TokenId> whole_words;  ///< Empty unless they go first.
  SpecialTokens special;
  SpecialTokens late_special;  ///< Looked for in what `special` leaves.
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  bool add_bos = false;
  uint64_t fingerprint = 0;
};

/// Checks the source and compiles it; kCorruption when it contradicts itself.
Result<std::shared_ptr<const TokenizerData>> CompileTokenizer(const TokenizerSource& source);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKENIZER_DATA_H_
