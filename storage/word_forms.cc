#include "storage/word_forms.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

namespace kvasir::storage {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view word) { return std::ranges::all_of(word, IsDigit); }

bool HasCapitalInside(std::string_view word) {
  return std::ranges::adjacent_find(word, [](char left, char right) {
           return IsLower(left) && IsUpper(right);
         }) != word.end();
}

// Where the part that begins at `begin` ends: a run of digits; of capitals, but for the last one
// before a small letter; or of small letters, a capital before them included.
std::size_t PartEnd(std::string_view word, std::size_t begin) {
  std::size_t end = begin;
  if (IsDigit(word[begin])) {
    while (end < word.size() && IsDigit(word[end])) ++end;
    return end;
  }
  while (end < word.size() && IsUpper(word[end])) ++end;
  if (end - begin > 1) return end < word.size() && IsLower(word[end]) ? end - 1 : end;
  while (end < word.size() && IsLower(word[end])) ++end;
  return end;
}

int Number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool IsOrdinal(std::string_view word) {
  if (word.size() < 3 || !AllDigits(word.substr(0, word.size() - 2))) return false;
  const std::string_view end = word.substr(word.size() - 2);
  return end == "st" || end == "nd" || end == "rd" || end == "th";
}

struct DateParts {
  std::string_view year, month, day;
};

bool EmitDate(const DateParts& date, bool with_year,
              const std::function<void(std::string_view)>& emit) {
  if (date.year.size() != 4 || date.month.size() != 2 || date.day.size() != 2) return false;
  const int month = Number(date.month);
  const int day = Number(date.day);
  if (date.year < "1000" || date.year > "2999") return false;
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (with_year) emit(date.year);
  emit(kMonths[static_cast<std::size_t>(month) - 1]);
  emit(date.day.starts_with('0') ? date.day.substr(1) : date.day);
  return true;
}

}  // namespace

void ForEachPart(std::string_view word, const std::function<void(std::string_view)>& emit) {
  if (!HasCapitalInside(word)) return;
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t end = std::max(PartEnd(word, begin), begin + 1);
    emit(word.substr(begin, end - begin));
    begin = end;
  }
}

bool NumberForms::Add(std::string_view word, char joined) {
  const bool joins = joined == ',' || joined == '-';
  if (!joins || (separator_ != 0 && joined != separator_)) End();
  // "2026-05-01T10:00": the day ends where the time begins.
  const bool time_follows = groups_.size() == 2 && word.size() > 3 && word[2] == 't';
  if (time_follows) word = word.substr(0, 2);
  if (!AllDigits(word)) {
    End();
    if (!IsOrdinal(word)) return false;
    emit_(word.substr(0, word.size() - 2));
    return instead_;
  }
  if (!groups_.empty()) separator_ = joined;
  groups_.emplace_back(word);
  if (time_follows) End();
  return instead_;
}

void NumberForms::End() {
  const std::vector<std::string> groups = std::exchange(groups_, {});
  const char separator = std::exchange(separator_, '\0');
  const bool one_word = groups.size() == 1;
  if (instead_ && one_word) emit_(groups[0]);
  const bool known = EmitForms(groups, separator);
  if (!instead_ || one_word || known) return;
  for (const std::string& group : groups) emit_(group);
}

// Whether there are any. Without `instead_` the words themselves are in the text already.
bool NumberForms::EmitForms(const std::vector<std::string>& groups, char separator) const {
  if (groups.size() == 1 && groups[0].size() == 8) {
    const std::string_view all = groups[0];
    return EmitDate({all.substr(0, 4), all.substr(4, 2), all.substr(6)}, /*with_year=*/true, emit_);
  }
  if (groups.size() == 3 && separator == '-') {
    return EmitDate({groups[0], groups[1], groups[2]}, instead_, emit_);
  }
  const auto is_thousand = [](const std::string& group) { return group.size() == 3; };
  if (groups.size() < 2 || separator != ',' || groups[0].size() > 3 ||
      !std::all_of(groups.begin() + 1, groups.end(), is_thousand)) {
    return false;
  }
  emit_(std::accumulate(groups.begin(), groups.end(), std::string()));
  return true;
}

}  // namespace kvasir::storage
