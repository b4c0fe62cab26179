// A tokenizer as its file tells it, before it is compiled into tables.
#ifndef KVASIR_MODEL_TOKENIZER_SOURCE_H_
#define KVASIR_MODEL_TOKENIZER_SOURCE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kvasir/status.h"
#include "model/pre_tokenizer.h"
#include "model/tokenizer.h"

namespace kvasir::model {

enum class TokenKind : uint8_t {
  kNormal,   ///< Made by merging; its text is in the byte alphabet.
  kControl,  ///< Only ever made from text when the caller parses control tokens.
  kAdded,    ///< Matched whole wherever its text stands, but carries no authority.
  kUnused,   ///< A placeholder: never made.
};

struct TokenizerSource {
  std::string name;                     ///< The file, for errors.
  std::vector<std::string_view> texts;  ///< By id; borrowed from the file.
  std::vector<TokenKind> kinds;         ///< By id.
  std::vector<std::pair<std::string_view, std::string_view>> merges;  ///< Best first.
  std::vector<TokenId> late_added;  ///< Looked for only where no other special token stands.
  PreTokenizerKind pre_tokenizer = PreTokenizerKind::kGpt2;
  bool whole_words_first = false;  ///< A word that is a token stays whole, merges or not.
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  bool add_bos = false;
};

/// GPT-2's reversible alphabet: the character that stands for each byte. Printable Latin-1 stands
/// for itself, the other 68 bytes for U+0100 and on.
const std::array<char32_t, 256>& ByteAlphabet();

/// The bytes that a token's text stands for; nothing when it holds a character outside the alphabet
/// (such a token stands for its text itself).
std::optional<std::string> BytesOfAlphabet(std::string_view text);

/// "Ġ t" cut at its space, kCorruption without one.
Result<std::pair<std::string_view, std::string_view>> SplitMerge(std::string_view merge);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKENIZER_SOURCE_H_
