// A set of document numbers of one space: what a filter lets through, asked once per candidate.
#ifndef STORAGE_DOCUMENT_SET_H_
#define STORAGE_DOCUMENT_SET_H_

#include <bit>
#include <cstdint>
#include <vector>

#include "storage/ids.h"

namespace kvasir::storage {

/// A bitmap from number 0 up. Reading is safe from many threads; one bit per number ever given
/// (100 K numbers: 12 KiB).
class DocumentSet {
 public:
  bool Contains(DocumentNumber number) const {
    const std::uint64_t word = number >> 6;
    return word < words_.size() && ((words_[word] >> (number & 63)) & 1U) != 0;
  }

  void Insert(DocumentNumber number) {
    if (const std::uint64_t word = number >> 6; word >= words_.size()) words_.resize(word + 1);
    std::uint64_t& word = words_[number >> 6];
    const std::uint64_t bit = std::uint64_t{1} << (number & 63);
    size_ += (word & bit) == 0 ? 1 : 0;
    word |= bit;
  }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Calls visit(number) in ascending order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (std::uint64_t index = 0; index < words_.size(); ++index) {
      for (std::uint64_t rest = words_[index]; rest != 0; rest &= rest - 1) {
        visit(DocumentNumber{index * 64 + static_cast<std::uint64_t>(std::countr_zero(rest))});
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
  std::uint64_t size_ = 0;
};

}  // namespace kvasir::storage

#endif  // STORAGE_DOCUMENT_SET_H_
