// Finds control and added tokens in text.
#ifndef KVASIR_MODEL_TOKENIZER_SPECIAL_H_
#define KVASIR_MODEL_TOKENIZER_SPECIAL_H_

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer.h"

namespace kvasir::model {

/// Leftmost, then longest match over a set of texts. Immutable.
class SpecialTokens {
 public:
  /// The first token of a text keeps it; empty texts are ignored.
  void Add(std::string_view text, TokenId id);

  bool empty() const { return ids_.empty(); }
  /// The token of exactly this text, or kNoToken.
  TokenId Find(std::string_view text) const;

  struct Match {
    size_t begin;
    size_t end;
    TokenId id;
  };
  /// The next match at or after `from`; id is kNoToken when there is none. O(text) per call.
  Match Next(std::string_view text, size_t from) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  // By first byte: the lengths that occur, longest first.
  std::array<std::vector<size_t>, 256> lengths_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKENIZER_SPECIAL_H_
