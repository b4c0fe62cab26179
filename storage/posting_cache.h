// Decoded postings lists in memory, exact under concurrent writes.
#ifndef STORAGE_POSTING_CACHE_H_
#define STORAGE_POSTING_CACHE_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "storage/ids.h"

namespace kvasir::storage {

/// One term in one segment, as scoring reads it. Lists ascend by (document, segment).
struct Posting {
  std::uint32_t document = 0;  ///< Number within its block.
  std::uint32_t segment = 0;
  std::uint32_t title = 0;
  std::uint32_t text = 0;
  std::uint32_t title_length = 0;
  std::uint32_t segment_length = 0;
  std::uint32_t document_length = 0;
};
using PostingList = std::vector<Posting>;

/// One term in one block of one space.
struct PostingListKey {
  SpaceId space{};
  std::uint32_t block = 0;
  std::uint64_t term = 0;
  friend bool operator==(const PostingListKey&, const PostingListKey&) = default;
};

/// Least recently used lists go first. Thread-safe.
///
/// A list read at ledger sequence q is right for every sequence from q up to the next commit that
/// touches it. Commits call Touch *before* they become visible; so a list that is still here is
/// right for every reader that sees q or later, and Insert refuses a list that a commit overtook.
class PostingCache {
 public:
  explicit PostingCache(std::uint64_t budget_bytes) : budget_(budget_bytes) {}

  /// Null if not here, or only in a state younger than the reader's.
  std::shared_ptr<const PostingList> Find(const PostingListKey& key, std::uint64_t sequence);
  void Insert(const PostingListKey& key, std::uint64_t sequence,
              std::shared_ptr<const PostingList> list);
  /// Commit `sequence` is about to change these lists.
  void Touch(const std::vector<PostingListKey>& keys, std::uint64_t sequence);
  /// Commit `sequence` is about to change anything.
  void TouchAll(std::uint64_t sequence);
  std::uint64_t bytes() const;

 private:
  struct Hash {
    std::size_t operator()(const PostingListKey& key) const {
      // Terms are keyed hashes already; the block only has to spread them.
      return key.term ^ (key.block * 0x9E3779B97F4A7C15ULL) ^
             (static_cast<std::uint64_t>(key.space) << 32);
    }
  };
  struct Entry {
    PostingListKey key;
    std::uint64_t sequence = 0;
    std::shared_ptr<const PostingList> list;
  };
  using Entries = std::list<Entry>;

  static std::uint64_t Cost(const Entry& entry);
  void Remove(Entries::iterator entry);

  const std::uint64_t budget_;
  mutable std::mutex mutex_;
  Entries entries_;  // Most recently used first.
  std::unordered_map<PostingListKey, Entries::iterator, Hash> index_;
  std::map<std::pair<SpaceId, std::uint32_t>, std::uint64_t> block_touched_;
  std::uint64_t all_touched_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace kvasir::storage

#endif  // STORAGE_POSTING_CACHE_H_
