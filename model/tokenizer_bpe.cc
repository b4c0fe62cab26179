#include "model/tokenizer_bpe.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace kvasir::model {
namespace {

/// Up to here scanning an array for the best pair beats keeping a heap of them.
constexpr size_t kShortWord = 48;
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

}  // namespace

BpeMergeTable::BpeMergeTable(std::span<const BpeMerge> merges)
    : slots_(std::bit_ceil(2 * merges.size() + 1)), mask_(slots_.size() - 1) {
  for (const BpeMerge& merge : merges) {
    size_t slot = Hash(merge.left, merge.right) & mask_;
    while (slots_[slot].left != kNoToken &&
           (slots_[slot].left != merge.left || slots_[slot].right != merge.right)) {
      slot = (slot + 1) & mask_;
    }
    slots_[slot] = merge;
  }
}

void BpeEncoder::Encode(std::string_view word, size_t offset, std::vector<TokenSpan>& out) {
  const size_t first = out.size();
  for (size_t i = 0; i < word.size(); ++i) {
    const TokenId token = byte_tokens_[static_cast<unsigned char>(word[i])];
    if (token != kNoToken) out.push_back({token, offset + i, offset + i + 1});
  }
  const size_t symbols = out.size() - first;
  if (symbols < 2) return;
  if (symbols <= kShortWord) {
    MergeShort(first, out);
  } else {
    MergeLong(first, out);
  }
}

void BpeEncoder::MergeShort(size_t first, std::vector<TokenSpan>& out) {
  pairs_.clear();
  for (size_t i = first; i + 1 < out.size(); ++i) {
    pairs_.push_back(merges_.Find(out[i].id, out[i + 1].id));
  }
  while (true) {
    size_t best = pairs_.size();
    uint32_t best_rank = kNone;
    for (size_t i = 0; i < pairs_.size(); ++i) {
      if (pairs_[i] != nullptr && pairs_[i]->rank < best_rank) {
        best = i;
        best_rank = pairs_[i]->rank;
      }
    }
    if (best == pairs_.size()) return;
    TokenSpan& merged = out[first + best];
    merged.id = pairs_[best]->result;
    merged.end = out[first + best + 1].end;
    out.erase(out.begin() + static_cast<ptrdiff_t>(first + best + 1));
    pairs_.erase(pairs_.begin() + static_cast<ptrdiff_t>(best));
    if (best > 0) pairs_[best - 1] = merges_.Find(out[first + best - 1].id, merged.id);
    if (best < pairs_.size()) pairs_[best] = merges_.Find(merged.id, out[first + best + 1].id);
  }
}

void BpeEncoder::Propose(std::span<const TokenSpan> symbols, uint32_t left, uint32_t right) {
  if (left == kNone || right == kNone) return;
  const BpeMerge* merge = merges_.Find(symbols[left].id, symbols[right].id);
  if (merge == nullptr) return;
  heap_.push_back({merge->rank, left, merge->result});
  std::push_heap(heap_.begin(), heap_.end(), IsWorse);
}

void BpeEncoder::MergeLong(size_t first, std::vector<TokenSpan>& out) {
  const std::span<TokenSpan> symbols = std::span(out).subspan(first);
  const auto count = static_cast<uint32_t>(symbols.size());
  links_.resize(count);
  heap_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    links_[i] = {i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1};
    Propose(symbols, i, links_[i].next);
  }
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), IsWorse);
    const Candidate best = heap_.back();
    heap_.pop_back();
    TokenSpan& left = symbols[best.position];
    const uint32_t right = links_[best.position].next;
    if (left.id == kNoToken || right == kNone) continue;
    // Either symbol may have grown since the candidate was queued.
    const BpeMerge* merge = merges_.Find(left.id, symbols[right].id);
    if (merge == nullptr || merge->rank != best.rank) continue;
    left.id = best.result;
    left.end = symbols[right].end;
    symbols[right].id = kNoToken;
    links_[best.position].next = links_[right].next;
    if (links_[right].next != kNone) links_[links_[right].next].previous = best.position;
    Propose(symbols, links_[best.position].previous, best.position);
    Propose(symbols, best.position, links_[best.position].next);
  }
  const auto gone = std::remove_if(out.begin() + static_cast<ptrdiff_t>(first), out.end(),
                                   [](const TokenSpan& symbol) { return symbol.id == kNoToken; });
  out.erase(gone, out.end());
}

}  // namespace kvasir::model
