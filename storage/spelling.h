// Words that a typing error apart stand for each other.
#ifndef STORAGE_SPELLING_H_
#define STORAGE_SPELLING_H_

#include <string>
#include <string_view>
#include <vector>

namespace kvasir::storage {

/// All words one edit away from `word`: a letter less, more or another, or two neighbours swapped
/// (Damerau 1964). Distinct, without `word`, those that begin with its letter first; most people
/// get that one right. Empty for words that are not 4 to 24 letters a to z: shorter ones have too
/// many neighbours that mean something else, and numbers are not misspelled but other numbers.
/// About 53 times the length of `word`.
std::vector<std::string> NearSpellings(std::string_view word);

}  // namespace kvasir::storage

#endif  // STORAGE_SPELLING_H_
