#include "storage/titles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <utility>

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

bool Has(const std::vector<std::uint64_t>& keys, std::uint64_t key) {
  return std::ranges::find(keys, key) != keys.end();
}

std::vector<TitleMention> Mentions(const std::map<DocumentNumber, double>& strengths) {
  std::vector<TitleMention> mentions;
  mentions.reserve(strengths.size());
  for (const auto& [document, strength] : strengths) mentions.push_back({document, strength});
  return mentions;
}

}  // namespace

TitleKeys TitleIndex::Keys(const HashKey& key, std::string_view title) {
  TitleKeys keys;
  for (const std::string_view form : {title, WithoutBracket(title)}) {
    const std::vector<std::uint64_t> terms = TermHashes(key, form);
    if (terms.empty() || terms.size() > kMostTerms) continue;
    std::uint64_t run = 0;
    for (const std::uint64_t term : terms) {
      run = Extend(run, term);
      if (!Has(keys.terms, term)) keys.terms.push_back(term);
    }
    if (!Has(keys.runs, run)) keys.runs.push_back(run);
  }
  return keys;
}

void TitleIndex::Put(DocumentNumber document, TitleKeys keys) {
  Remove(document);
  if (keys.runs.empty()) return;
  for (const std::uint64_t run : keys.runs) by_run_.emplace(run, document);
  for (const std::uint64_t term : keys.terms) by_term_[term].push_back(document);
  keys_[document] = std::move(keys);
}

void TitleIndex::Remove(DocumentNumber document) {
  const auto known = keys_.find(document);
  if (known == keys_.end()) return;
  for (const std::uint64_t run : known->second.runs) {
    const auto [begin, end] = by_run_.equal_range(run);
    by_run_.erase(
        std::find_if(begin, end, [&](const auto& entry) { return entry.second == document; }));
  }
  for (const std::uint64_t term : known->second.terms) {
    const auto list = by_term_.find(term);
    std::erase(list->second, document);
    if (list->second.empty()) by_term_.erase(list);
  }
  keys_.erase(known);
}

std::vector<TitleMention> TitleIndex::In(const HashKey& key, std::string_view text) const {
  std::map<DocumentNumber, double> strengths;
  if (by_run_.empty()) return {};
  const std::vector<std::uint64_t> terms = TermHashes(key, text);
  for (std::size_t first = 0; first < terms.size(); ++first) {
    std::uint64_t run = 0;
    const std::size_t most = std::min(kMostTerms, terms.size() - first);
    for (std::size_t words = 1; words <= most; ++words) {
      run = Extend(run, terms[first + words - 1]);
      const auto shared = by_run_.count(run);
      if (shared == 0 || shared > kMostShared) continue;
      const double strength = std::min(static_cast<double>(words) / kSureWords, 1.0) /
                              std::sqrt(static_cast<double>(shared));
      const auto [begin, end] = by_run_.equal_range(run);
      for (auto at = begin; at != end; ++at) {
        double& known = strengths[at->second];
        known = std::max(known, strength);
      }
    }
  }
  return Mentions(strengths);
}

std::vector<TitleMention> TitleIndex::Sharing(const HashKey& key, std::string_view names,
                                              std::string_view question,
                                              DocumentNumber from) const {
  std::map<DocumentNumber, double> strengths;
  if (by_term_.empty()) return {};
  const std::vector<std::uint64_t> asked = TermHashes(key, question);
  std::vector<std::uint64_t> named = TermHashes(key, names);
  std::ranges::sort(named);
  named.erase(std::unique(named.begin(), named.end()), named.end());
  const auto own = keys_.find(from);
  for (const std::uint64_t name : named) {
    if (Has(asked, name) || (own != keys_.end() && Has(own->second.terms, name))) continue;
    const auto list = by_term_.find(name);
    if (list == by_term_.end() || list->second.size() > kMostShared) continue;
    for (const DocumentNumber document : list->second) {
      const std::vector<std::uint64_t>& title = keys_.at(document).terms;
      const auto known = std::ranges::count_if(
          title, [&](std::uint64_t term) { return Has(named, term) || Has(asked, term); });
      const double part = static_cast<double>(known) / static_cast<double>(title.size());
      double& strength = strengths[document];
      strength = std::max(strength, part / std::sqrt(static_cast<double>(list->second.size())));
    }
  }
  strengths.erase(from);
  return Mentions(strengths);
}

}  // namespace kvasir::storage
