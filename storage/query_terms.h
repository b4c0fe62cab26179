// The terms that a question is searched by.
#ifndef STORAGE_QUERY_TERMS_H_
#define STORAGE_QUERY_TERMS_H_

#include <string>
#include <string_view>
#include <vector>

namespace kvasir::storage {

/// The terms of `text` in order, repeats included, without words that carry no meaning of their own
/// ("the", "of"); all of them when there is nothing else. Thread-safe.
std::vector<std::string> ContentTerms(std::string_view text);

/// The distinct terms of `query` in order, without words that only make it a question ("what is the
/// …"): documents are full of them, and they say nothing. A query of nothing else keeps them all.
/// Thread-safe.
std::vector<std::string> QueryTerms(std::string_view query);

}  // namespace kvasir::storage

#endif  // STORAGE_QUERY_TERMS_H_
