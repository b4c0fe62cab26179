#include "storage/term_lists.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/keys.h"
#include "storage/postings.h"
#include "storage/spelling.h"

namespace kvasir::storage {
namespace {

using ListPtr = std::shared_ptr<const PostingList>;

constexpr std::size_t kMostSpellings = 3;
constexpr std::size_t kMostProbes = 16384;
constexpr std::uint32_t kMostSeen = 16;

std::uint32_t Clamped(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

Result<ListPtr> ReadList(Cursor* cursor, const PostingListKey& key) {
  auto list = std::make_shared<PostingList>();
  const std::string prefix = TermPrefix(key.space, key.block, key.term);
  PostingValue value;
  for (cursor->Seek(prefix); cursor->Valid() && cursor->key().starts_with(prefix); cursor->Next()) {
    const std::string_view row = cursor->key();
    if (row.size() != kPostingKeyBytes || !DecodePosting(cursor->value(), &value) ||
        BigEndian16(row.substr(kTermPrefixBytes)) >= kBlockDocuments ||
        BigEndian32(row.substr(kTermPrefixBytes + 2)) >= kMaxSegments) {
      return Corruption("postings: bad row; run verify");
    }
    list->push_back({.document = BigEndian16(row.substr(kTermPrefixBytes)),
                     .segment = BigEndian32(row.substr(kTermPrefixBytes + 2)),
                     .title = value.title,
                     .text = value.text,
                     .title_length = value.title_length,
                     .segment_length = value.segment_length,
                     .document_length = Clamped(value.document_length)});
  }
  KVASIR_RETURN_IF_ERROR(cursor->status());
  list->shrink_to_fit();
  return ListPtr(std::move(list));
}

std::uint64_t CountDocuments(const PostingList& list) {
  std::uint64_t documents = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    documents += i == 0 || list[i].document != list[i - 1].document ? 1 : 0;
  }
  return documents;
}

// Both lists as one: a segment that has both words has their counts together.
ListPtr Merged(const PostingList& left, const PostingList& right) {
  const auto place = [](const Posting& posting) {
    return std::pair(posting.document, posting.segment);
  };
  PostingList all;
  all.reserve(left.size() + right.size());
  std::ranges::merge(left, right, std::back_inserter(all), {}, place, place);
  auto merged = std::make_shared<PostingList>();
  for (const Posting& posting : all) {
    if (merged->empty() || place(merged->back()) != place(posting)) {
      merged->push_back(posting);
    } else {
      merged->back().title += posting.title;
      merged->back().text += posting.text;
    }
  }
  return merged;
}

}  // namespace

TermReader::TermReader(const ReadView& view, std::uint64_t sequence, SpaceId space,
                       std::uint32_t blocks, const HashKey& key, PostingCache* cache)
    : space_(space),
      sequence_(sequence),
      blocks_(blocks),
      key_(key),
      cache_(cache),
      cursor_(view.Seeker({Family::kPostings, SpacePrefix(space), PrefixEnd(SpacePrefix(space))})) {
}

Result<TermLists> TermReader::Read(std::string_view term) {
  KVASIR_ASSIGN_OR_RETURN(TermLists lists, ReadHash(SipHash64(key_, term)));
  if (lists.documents > 0) return lists;
  KVASIR_ASSIGN_OR_RETURN(const std::vector<Spelling> spellings, BestSpellings(term));
  for (const Spelling& spelling : spellings) {
    KVASIR_ASSIGN_OR_RETURN(const TermLists near, ReadHash(spelling.hash));
    lists.documents = 0;
    for (std::uint32_t block = 0; block < blocks_; ++block) {
      lists.blocks[block] = Merged(*lists.blocks[block], *near.blocks[block]);
      lists.documents += CountDocuments(*lists.blocks[block]);
    }
    lists.respelled = true;
  }
  return lists;
}

Result<TermLists> TermReader::ReadHash(std::uint64_t term) {
  TermLists lists;
  for (std::uint32_t block = 0; block < blocks_; ++block) {
    const PostingListKey key{space_, block, term};
    ListPtr list = cache_->Find(key, sequence_);
    if (list == nullptr) {
      KVASIR_ASSIGN_OR_RETURN(list, ReadList(&cursor_, key));
      cache_->Insert(key, sequence_, list);
    }
    lists.documents += CountDocuments(*list);
    lists.blocks.push_back(std::move(list));
  }
  return lists;
}

Result<std::vector<TermReader::Spelling>> TermReader::BestSpellings(std::string_view term) {
  std::vector<Spelling> spellings;
  for (const std::string& near : NearSpellings(term)) {
    spellings.push_back(
        {.hash = SipHash64(key_, near), .starts_alike = near.front() == term.front()});
  }
  if (spellings.empty()) return spellings;
  // In the order of the keys, so that the cursor goes forward only.
  std::ranges::sort(spellings, {}, &Spelling::hash);
  const auto most =
      static_cast<std::uint32_t>(std::max<std::size_t>(kMostProbes / spellings.size(), 1));
  const std::uint32_t step = (blocks_ + most - 1) / most;
  for (std::uint32_t block = 0; block < blocks_; block += step) {
    for (Spelling& spelling : spellings) {
      const std::string prefix = TermPrefix(space_, block, spelling.hash);
      cursor_.Seek(prefix);
      for (std::uint32_t i = 0;
           i < kMostSeen && cursor_.Valid() && cursor_.key().starts_with(prefix);
           ++i, cursor_.Next()) {
        ++spelling.seen;
      }
    }
  }
  KVASIR_RETURN_IF_ERROR(cursor_.status());
  std::erase_if(spellings, [](const Spelling& spelling) { return spelling.seen == 0; });
  std::ranges::stable_sort(spellings, std::greater{}, [](const Spelling& spelling) {
    return std::pair(spelling.starts_alike, spelling.seen);
  });
  if (spellings.size() > kMostSpellings) spellings.resize(kMostSpellings);
  return spellings;
}

}  // namespace kvasir::storage
