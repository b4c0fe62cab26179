#include "storage/analyzer.h"

#include <libstemmer.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "storage/word_forms.h"

namespace kvasir::storage {
namespace {

using CodePoint = utf8proc_int32_t;

// Longer "words" are base64 and the like: kept, but not worth a stemmer's time.
constexpr std::size_t kMaxStemBytes = 64;

struct Range {
  CodePoint first, last;
};

bool InRanges(const Range* begin, const Range* end, CodePoint code_point) {
  return std::any_of(begin, end, [&](const Range& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

// Scripts written without spaces between words.
bool IsUnspaced(CodePoint code_point) {
  static constexpr Range kRanges[] = {
      {0x0E00, 0x0EFF},    // Thai, Lao
      {0x1000, 0x109F},    // Myanmar
      {0x1100, 0x11FF},    // Hangul jamo
      {0x1780, 0x17FF},    // Khmer
      {0x3040, 0x30FF},    // Hiragana, Katakana
      {0x3130, 0x318F},    // Hangul compatibility jamo
      {0x31F0, 0x31FF},    // Katakana extensions
      {0x3400, 0x4DBF},    // Han extension A
      {0x4E00, 0x9FFF},    // Han
      {0xAC00, 0xD7A3},    // Hangul syllables
      {0xF900, 0xFAFF},    // Han compatibility
      {0x20000, 0x3FFFF},  // Han extensions B and on
  };
  return code_point >= 0x0E00 && InRanges(std::begin(kRanges), std::end(kRanges), code_point);
}

// Accents of Latin, Greek, Cyrillic; points of Hebrew; vowel signs of Arabic. Marks of other
// scripts (Devanagari vowels, say) are letters to their readers and stay.
bool IsAccent(CodePoint code_point) {
  static constexpr Range kRanges[] = {
      {0x0300, 0x036F}, {0x0483, 0x0487}, {0x0591, 0x05BD}, {0x05BF, 0x05C7}, {0x064B, 0x065F},
      {0x0670, 0x0670}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE20, 0xFE2F},
  };
  return InRanges(std::begin(kRanges), std::end(kRanges), code_point);
}

bool IsWordCodePoint(CodePoint code_point) {
  if (code_point < 0x80) {
    const auto lower = code_point | 0x20;
    return (lower >= 'a' && lower <= 'z') || (code_point >= '0' && code_point <= '9');
  }
  const utf8proc_category_t category = utf8proc_category(code_point);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool IsApostrophe(CodePoint code_point) {
  return code_point == '\'' || code_point == 0x2019 || code_point == 0x02BC;
}

void AppendCodePoint(std::string* out, CodePoint code_point) {
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
    return;
  }
  utf8proc_uint8_t encoded[4];
  const auto size = utf8proc_encode_char(code_point, encoded);
  out->append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
}

struct FreeStemmer {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

// Snowball's stemmers keep state: one per thread.
std::string_view Stem(std::string_view word) {
  thread_local const std::unique_ptr<sb_stemmer, FreeStemmer> stemmer(
      sb_stemmer_new("english", "UTF_8"));
  if (stemmer == nullptr || word.size() > kMaxStemBytes) return word;
  const auto* stem = sb_stemmer_stem(stemmer.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                                     static_cast<int>(word.size()));
  if (stem == nullptr) return word;
  return {reinterpret_cast<const char*>(stem),
          static_cast<std::size_t>(sb_stemmer_length(stemmer.get()))};
}

struct Free {
  void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

// `text` in one form (NFKC and what else `more` asks for); empty when that fails.
std::string Normalised(std::string_view text, unsigned more) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                                      UTF8PROC_COMPAT | UTF8PROC_IGNORE | more);
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, Free> owner(mapped);
  if (size < 0) return {};
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

template <typename Visit>
void ForEachCodePoint(std::string_view text, Visit visit) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    CodePoint code_point = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code_point);
    if (size <= 0) break;
    visit(code_point);
    at += size;
    left -= size;
  }
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

// Case folded, accents taken off: canonical decomposition parts them from their letters.
std::string Folded(std::string_view word) {
  std::string folded;
  if (IsAscii(word)) {
    std::ranges::transform(word, std::back_inserter(folded), [](char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    });
    return folded;
  }
  ForEachCodePoint(Normalised(word, UTF8PROC_CASEFOLD), [&](CodePoint code_point) {
    CodePoint parts[8];
    int boundary = 0;
    const auto count = utf8proc_decompose_char(code_point, parts, 8, UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, 8); ++i) {
      if (!IsAccent(parts[i])) AppendCodePoint(&folded, parts[i]);
    }
  });
  return folded;
}

// Takes code points one by one and puts them together to terms.
class TermMaker {
 public:
  TermMaker(TermForms forms, const std::function<void(std::string_view)>& emit)
      : forms_(forms),
        emit_(emit),
        stemmed_([&emit](std::string_view word) { emit(Stem(word)); }),
        numbers_(stemmed_, /*instead=*/forms == TermForms::kQuestion) {}

  void Add(CodePoint code_point) {
    if (IsUnspaced(code_point) && IsWordCodePoint(code_point)) {
      EndWord();
      AddUnspaced(code_point);
    } else if (IsWordCodePoint(code_point)) {
      previous_ = 0;
      if (pending_apostrophe_) word_.push_back('\'');
      pending_apostrophe_ = false;
      AppendCodePoint(&word_, code_point);
    } else {
      previous_ = 0;
      pending_apostrophe_ = IsApostrophe(code_point) && !word_.empty() && !pending_apostrophe_;
      if (pending_apostrophe_) return;
      const bool alone = !word_.empty() && code_point < 0x80;
      EndWord();
      gap_ = alone ? static_cast<char>(code_point) : '\0';
    }
  }

  void End() {
    EndWord();
    numbers_.End();
  }

 private:
  void EndWord() {
    pending_apostrophe_ = false;
    if (word_.empty()) return;
    const std::string folded = Folded(word_);
    const bool taken = numbers_.Add(folded, gap_);
    if (!taken && !folded.empty()) stemmed_(folded);
    const auto bare = std::string_view(word_).substr(0, word_.find('\''));
    if (forms_ == TermForms::kDocument && IsAscii(bare)) {
      ForEachPart(bare, [this](std::string_view part) { stemmed_(Folded(part)); });
    }
    word_.clear();
  }

  void AddUnspaced(CodePoint code_point) {
    gap_ = 0;
    std::string term;
    if (previous_ != 0) {
      AppendCodePoint(&term, previous_);
      AppendCodePoint(&term, code_point);
      emit_(term);
      term.clear();
    }
    AppendCodePoint(&term, code_point);
    emit_(term);
    previous_ = code_point;
  }

  const TermForms forms_;
  const std::function<void(std::string_view)>& emit_;
  const std::function<void(std::string_view)> stemmed_;
  NumberForms numbers_;
  std::string word_;        // As it stands in the text.
  CodePoint previous_ = 0;  // The unspaced code point just before; 0: none.
  char gap_ = 0;            // What stands alone between the last word and this one; 0: several.
  bool pending_apostrophe_ = false;
};

}  // namespace

void AnalyzeText(std::string_view text, TermForms forms,
                 const std::function<void(std::string_view)>& emit) {
  TermMaker terms(forms, emit);
  const auto add = [&](CodePoint code_point) { terms.Add(code_point); };
  if (IsAscii(text)) {
    ForEachCodePoint(text, add);
  } else {
    ForEachCodePoint(Normalised(text, 0), add);
  }
  terms.End();
}

std::vector<std::string> Terms(std::string_view text, TermForms forms) {
  std::vector<std::string> terms;
  AnalyzeText(text, forms, [&](std::string_view term) { terms.emplace_back(term); });
  return terms;
}

}  // namespace kvasir::storage
