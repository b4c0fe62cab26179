// Constrained generation of document numbers: only numbers that routing offered can come out.
#ifndef KVASIR_MODEL_NUMBER_TRIE_H_
#define KVASIR_MODEL_NUMBER_TRIE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace kvasir::model {

/// A trie over token sequences, one per document number: the caller tokenises each `[12]` as the
/// model was trained to write it, its closing mark included. Immutable once built; for one thread
/// while it is walked.
class NumberTrie {
 public:
  NumberTrie() : nodes_(1) {}

  /// Adds the spelling of `number`; not empty, and no spelling may begin another (a closing mark
  /// sees to that).
  void Add(std::uint64_t number, std::span<const std::int32_t> spelling);

  /// Tokens that may come next, ascending; never empty unless the trie is.
  std::span<const std::int32_t> allowed() const { return nodes_[at_].tokens; }
  /// Takes one of allowed(). Afterwards finished() tells whether a number is complete.
  void Advance(std::int32_t token);
  bool finished() const { return nodes_[at_].tokens.empty(); }
  /// The completed number; finished() must hold.
  std::uint64_t number() const { return nodes_[at_].number; }
  /// Back to the start, for the next number.
  void Restart() { at_ = 0; }

 private:
  struct Node {
    std::vector<std::int32_t> tokens;   // Ascending.
    std::vector<std::size_t> children;  // Beside `tokens`.
    std::uint64_t number = 0;
  };

  std::vector<Node> nodes_;
  std::size_t at_ = 0;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_NUMBER_TRIE_H_
