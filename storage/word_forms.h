// Other spellings of what a word says: parts of compounds, numbers with commas, dates as people say
// them.
#ifndef STORAGE_WORD_FORMS_H_
#define STORAGE_WORD_FORMS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir::storage {

/// Calls `emit` with the parts of a word of ASCII letters and digits when capitals inside show that
/// it has several: "LiHua" Li Hua, "parseHTTPHeader2" parse HTTP Header 2.
void ForEachPart(std::string_view word, const std::function<void(std::string_view)>& emit);

/// Sees the words of a text in order and gives what its numbers are called elsewhere: 10,000 10000;
/// 1st 1; 2026-05-01 and 20260501 their parts without zeros, the month by name (2026 may 1).
class NumberForms {
 public:
  /// `instead`: these forms take the place of the words they are made of, but for a date in one
  /// word, which may be any number.
  NumberForms(const std::function<void(std::string_view)>& emit, bool instead)
      : emit_(emit), instead_(instead) {}

  /// True if `word` is taken and not to be used by itself. To be called before it is used, so that
  /// forms of the number before it come first. `word` is in lower case; `joined`: the character
  /// between it and the word before, 0 when there are several.
  bool Add(std::string_view word, char joined);
  /// After the last word.
  void End();

 private:
  bool EmitForms(const std::vector<std::string>& groups, char separator) const;

  const std::function<void(std::string_view)>& emit_;
  const bool instead_;
  std::vector<std::string> groups_;  // Digits joined by one kind of separator so far.
  char separator_ = 0;
};

}  // namespace kvasir::storage

#endif  // STORAGE_WORD_FORMS_H_
