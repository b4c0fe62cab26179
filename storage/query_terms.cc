#include "storage/query_terms.h"

#include <algorithm>
#include <unordered_set>

#include "storage/analyzer.h"

namespace kvasir::storage {
namespace {

// English function words, but for those that are also a name or a month (us, may, will). Chosen by
// their kind, not by any corpus; what leaving them out gains is in docs/recall.md.
constexpr std::string_view kFunctionWords =
    "a about am an and are as at be been being between both but by can could did do does for from "
    "had has have he her him his how i if in into is it its me might my no not of on or our she "
    "should such than that the their them then there these they this to was we were what when "
    "where which who whom whose why with would you your";

bool IsFunctionWord(const std::string& term) {
  static const std::unordered_set<std::string> terms = [] {
    const std::vector<std::string> words = Terms(kFunctionWords);
    return std::unordered_set<std::string>(words.begin(), words.end());
  }();
  return terms.contains(term);
}

}  // namespace

std::vector<std::string> ContentTerms(std::string_view text) {
  std::vector<std::string> all = Terms(text, TermForms::kQuestion);
  std::vector<std::string> content;
  std::copy_if(all.begin(), all.end(), std::back_inserter(content),
               [](const std::string& term) { return !IsFunctionWord(term); });
  return content.empty() ? all : content;
}

std::vector<std::string> QueryTerms(std::string_view query) {
  std::vector<std::string> distinct = ContentTerms(query);
  std::unordered_set<std::string> seen;
  std::erase_if(distinct, [&](const std::string& term) { return !seen.insert(term).second; });
  return distinct;
}

}  // namespace kvasir::storage
