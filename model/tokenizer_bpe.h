// Byte-pair encoding of one word.
#ifndef KVASIR_MODEL_TOKENIZER_BPE_H_
#define KVASIR_MODEL_TOKENIZER_BPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace kvasir::model {

inline constexpr TokenId kNoToken = -1;

/// Tokens `left` `right`, side by side, become `result`; the smallest rank goes first.
struct BpeMerge {
  TokenId left = kNoToken;
  TokenId right = kNoToken;
  uint32_t rank = 0;
  TokenId result = kNoToken;
};

/// An open-addressing hash table of merges, half full at most. Immutable.
class BpeMergeTable {
 public:
  /// The last of several merges of one pair counts, as in `tokenizers`.
  explicit BpeMergeTable(std::span<const BpeMerge> merges);

  /// The merge of the pair, or null.
  const BpeMerge* Find(TokenId left, TokenId right) const {
    for (size_t slot = Hash(left, right) & mask_;; slot = (slot + 1) & mask_) {
      const BpeMerge& merge = slots_[slot];
      if (merge.left == left && merge.right == right) return &merge;
      if (merge.left == kNoToken) return nullptr;
    }
  }

 private:
  static size_t Hash(TokenId left, TokenId right) {
    // Fibonacci hashing: the odd constant nearest 2^64 / golden ratio spreads over the upper bits.
    const uint64_t pair =
        static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    return static_cast<size_t>(pair * 0x9E3779B97F4A7C15u >> 32);
  }

  std::vector<BpeMerge> slots_;
  size_t mask_ = 0;
};

/// Encodes words, keeping its buffers between them. For one thread; borrows both tables.
class BpeEncoder {
 public:
  /// `byte_tokens` holds the token of each byte, kNoToken where the vocabulary has none: such bytes
  /// are left out, as in `tokenizers`, and their neighbours may merge.
  BpeEncoder(const std::array<TokenId, 256>& byte_tokens, const BpeMergeTable& merges)
      : byte_tokens_(byte_tokens), merges_(merges) {}

  /// Appends the word's tokens; `offset` is where the word begins in the text. Always the merge of
  /// smallest rank first, the leftmost of equals: O(n²) for short words, where that is fastest,
  /// O(n log n) for long ones.
  void Encode(std::string_view word, size_t offset, std::vector<TokenSpan>& out);

 private:
  struct Candidate {
    uint32_t rank;
    uint32_t position;
    TokenId result;
  };
  /// The order of the heap: what goes first is the smallest rank, then the leftmost.
  static bool IsWorse(const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
  struct Neighbours {
    uint32_t previous;
    uint32_t next;
  };

  void MergeShort(size_t first, std::vector<TokenSpan>& out);
  void MergeLong(size_t first, std::vector<TokenSpan>& out);
  /// Queues the merge of the symbols at `left` and `right`, if there is one.
  void Propose(std::span<const TokenSpan> symbols, uint32_t left, uint32_t right);

  const std::array<TokenId, 256>& byte_tokens_;
  const BpeMergeTable& merges_;
  std::vector<const BpeMerge*> pairs_;  // MergeShort: the merge of each symbol with the next.
  std::vector<Neighbours> links_;       // MergeLong: the symbols that are left, as a list.
  std::vector<Candidate> heap_;         // MergeLong: the best candidate in front.
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKENIZER_BPE_H_
