#include "storage/spelling.h"

#include <algorithm>
#include <set>
#include <utility>

namespace kvasir::storage {
namespace {

constexpr std::size_t kLeastLetters = 4;
constexpr std::size_t kMostLetters = 24;

bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::vector<std::string> NearSpellings(std::string_view word) {
  if (word.size() < kLeastLetters || word.size() > kMostLetters) return {};
  if (!std::ranges::all_of(word, IsLetter)) return {};
  std::set<std::string> near;
  for (std::size_t i = 0; i <= word.size(); ++i) {
    std::string edited(word);
    for (char c = 'a'; c <= 'z'; ++c) near.insert(std::string(word).insert(i, 1, c));
    if (i == word.size()) break;
    near.insert(std::string(word).erase(i, 1));
    for (edited[i] = 'a'; IsLetter(edited[i]); ++edited[i]) near.insert(edited);
    if (i + 1 == word.size()) continue;
    edited = word;
    std::swap(edited[i], edited[i + 1]);
    near.insert(edited);
  }
  near.erase(std::string(word));
  std::vector<std::string> sorted(near.begin(), near.end());
  // Not of std::ranges: clang 14 cannot read what that one returns.
  std::stable_partition(sorted.begin(), sorted.end(), [&](const std::string& spelling) {
    return spelling.front() == word.front();
  });
  return sorted;
}

}  // namespace kvasir::storage
