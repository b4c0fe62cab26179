#include "model/number_trie.h"

#include <algorithm>
#include <cassert>

namespace kvasir::model {

void NumberTrie::Add(std::uint64_t number, std::span<const std::int32_t> spelling) {
  std::size_t at = 0;
  for (const std::int32_t token : spelling) {
    const auto& tokens = nodes_[at].tokens;
    const auto place = std::lower_bound(tokens.begin(), tokens.end(), token) - tokens.begin();
    if (place == std::ssize(tokens) || tokens[place] != token) {
      nodes_[at].tokens.insert(nodes_[at].tokens.begin() + place, token);
      nodes_[at].children.insert(nodes_[at].children.begin() + place, nodes_.size());
      nodes_.emplace_back();
    }
    at = nodes_[at].children[place];
  }
  nodes_[at].number = number;
}

void NumberTrie::Advance(std::int32_t token) {
  const Node& node = nodes_[at_];
  const auto found = std::lower_bound(node.tokens.begin(), node.tokens.end(), token);
  assert(found != node.tokens.end() && *found == token);
  at_ = node.children[found - node.tokens.begin()];
}

}  // namespace kvasir::model
