#include "storage/titles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>

#include "storage/query_terms.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kMostTerms = 8;
constexpr std::size_t kMostShared = 64;
// From so many words on a title is a name and no chance match. Chosen on training rows
// (docs/recall.md).
constexpr double kSureWords = 3;

// One more term of a run; the order of the terms matters.
std::uint64_t Extend(std::uint64_t run, std::uint64_t term) {
  return (std::rotl(run, 23) ^ term) * 0x9E3779B97F4A7C15ULL;
}

std::vector<std::uint64_t> TermHashes(const HashKey& key, std::string_view text) {
  std::vector<std::uint64_t> hashes;
  for (const std::string& term : ContentTerms(text)) hashes.push_back(SipHash64(key, term));
  return hashes;
}

// `title` without what stands in a bracket at its end; all of it when there is nothing else.
std::string_view WithoutBracket(std::string_view title) {
  if (!title.ends_with(')')) return title;
  const std::size_t open = title.rfind('(');
  return open == std::string_view::npos || open == 0 ? title : title.substr(0, open);
}

}  // namespace

std::vector<std::uint64_t> TitleIndex::Keys(const HashKey& key, std::string_view title) {
  std::vector<std::uint64_t> keys;
  for (const std::string_view form : {title, WithoutBracket(title)}) {
    const std::vector<std::uint64_t> terms = TermHashes(key, form);
    if (terms.empty() || terms.size() > kMostTerms) continue;
    std::uint64_t run = 0;
    for (const std::uint64_t term : terms) run = Extend(run, term);
    if (std::find(keys.begin(), keys.end(), run) == keys.end()) keys.push_back(run);
  }
  return keys;
}

void TitleIndex::Put(DocumentNumber document, const std::vector<std::uint64_t>& keys) {
  for (const std::uint64_t title : keys) documents_.emplace(title, document);
}

void TitleIndex::Remove(DocumentNumber document, const std::vector<std::uint64_t>& keys) {
  for (const std::uint64_t title : keys) {
    const auto [begin, end] = documents_.equal_range(title);
    const auto at =
        std::find_if(begin, end, [&](const auto& entry) { return entry.second == document; });
    if (at != end) documents_.erase(at);
  }
}

std::vector<TitleMention> TitleIndex::In(const HashKey& key, std::string_view text) const {
  std::map<DocumentNumber, double> strengths;
  if (documents_.empty()) return {};
  const std::vector<std::uint64_t> terms = TermHashes(key, text);
  for (std::size_t first = 0; first < terms.size(); ++first) {
    std::uint64_t run = 0;
    const std::size_t most = std::min(kMostTerms, terms.size() - first);
    for (std::size_t words = 1; words <= most; ++words) {
      run = Extend(run, terms[first + words - 1]);
      const auto shared = documents_.count(run);
      if (shared == 0 || shared > kMostShared) continue;
      const double strength = std::min(static_cast<double>(words) / kSureWords, 1.0) /
                              std::sqrt(static_cast<double>(shared));
      const auto [begin, end] = documents_.equal_range(run);
      for (auto at = begin; at != end; ++at) {
        double& known = strengths[at->second];
        known = std::max(known, strength);
      }
    }
  }
  std::vector<TitleMention> mentions;
  mentions.reserve(strengths.size());
  for (const auto& [document, strength] : strengths) mentions.push_back({document, strength});
  return mentions;
}

}  // namespace kvasir::storage
