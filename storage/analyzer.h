// Text to terms, the same way for documents and queries.
#ifndef STORAGE_ANALYZER_H_
#define STORAGE_ANALYZER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir::storage {

/// Words have other spellings. A document has them all; a question asks each thing once.
enum class TermForms : std::uint8_t { kDocument, kQuestion };

/// Calls `emit` with every term of `text` in order, repeats included.
///
/// NFKC, case folded; combining accents dropped (é = e). A word is a run of letters, digits and
/// marks, with apostrophes inside; it is stemmed (Snowball English). Scripts written without
/// spaces (Han, Kana, Hangul, Thai, …) give every code point and every pair of neighbours. A
/// document has behind its words their parts ("LiHua": also li, hua) and what its numbers and dates
/// are called elsewhere; a question has these names of numbers in place of its own
/// (word_forms.h).
/// `text` must be valid UTF-8; what follows a bad byte is left out. Thread-safe. Cost: about
/// 0.1 us per byte.
void AnalyzeText(std::string_view text, TermForms forms,
                 const std::function<void(std::string_view)>& emit);

/// The same, collected.
std::vector<std::string> Terms(std::string_view text, TermForms forms = TermForms::kDocument);

}  // namespace kvasir::storage

#endif  // STORAGE_ANALYZER_H_
