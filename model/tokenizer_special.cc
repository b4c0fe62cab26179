#include "model/tokenizer_special.h"

#include <algorithm>

#include "model/tokenizer_bpe.h"

namespace kvasir::model {

void SpecialTokens::Add(std::string_view text, TokenId id) {
  if (text.empty() || !ids_.emplace(text, id).second) return;
  std::vector<size_t>& lengths = lengths_[static_cast<unsigned char>(text[0])];
  const auto place = std::ranges::lower_bound(lengths, text.size(), std::greater<>());
  if (place == lengths.end() || *place != text.size()) lengths.insert(place, text.size());
}

TokenId SpecialTokens::Find(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? kNoToken : found->second;
}

SpecialTokens::Match SpecialTokens::Next(std::string_view text, size_t from) const {
  for (size_t at = from; at < text.size(); ++at) {
    for (const size_t length : lengths_[static_cast<unsigned char>(text[at])]) {
      if (length > text.size() - at) continue;
      const TokenId id = Find(text.substr(at, length));
      if (id != kNoToken) return {at, at + length, id};
    }
  }
  return {text.size(), text.size(), kNoToken};
}

}  // namespace kvasir::model
