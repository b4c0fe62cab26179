// The postings of a query's terms, block by block, through the cache.
#ifndef STORAGE_TERM_LISTS_H_
#define STORAGE_TERM_LISTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "storage/engine.h"
#include "storage/ids.h"
#include "storage/keyed_hash.h"
#include "storage/posting_cache.h"

namespace kvasir::storage {

/// One term's lists of every block, and what they add up to.
struct TermLists {
  std::vector<std::shared_ptr<const PostingList>> blocks;
  std::uint64_t documents = 0;
  /// No document has the term itself: these are the lists of words that look like it.
  bool respelled = false;
};

/// Reads the terms of one search. Sees one state of the store. Not thread-safe.
class TermReader {
 public:
  /// `sequence`: the view's. `blocks`: how many of 4096 documents the space has.
  TermReader(const ReadView& view, std::uint64_t sequence, SpaceId space, std::uint32_t blocks,
             const HashKey& key, PostingCache* cache);

  /// A term that no document has is most likely a typing error: then the lists of up to three
  /// words near to it (spelling.h) as if they were one, those that begin alike and are frequent
  /// first. Cost: one seek per block that is not cached; for an unknown term up to 16 384 more, in
  /// a large space on some of its blocks only.
  Result<TermLists> Read(std::string_view term);

 private:
  struct Spelling {
    std::uint64_t hash = 0;
    bool starts_alike = false;
    std::uint32_t seen = 0;  // Postings in the blocks looked at; at most 16 of each.
  };

  Result<TermLists> ReadHash(std::uint64_t term);
  Result<std::vector<Spelling>> BestSpellings(std::string_view term);

  const SpaceId space_;
  const std::uint64_t sequence_;
  const std::uint32_t blocks_;
  const HashKey& key_;
  PostingCache* cache_;
  Cursor cursor_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_TERM_LISTS_H_
