// Ends generation at given strings.
#ifndef KVASIR_MODEL_STOP_STRINGS_H_
#define KVASIR_MODEL_STOP_STRINGS_H_

#include <string>
#include <string_view>
#include <vector>

namespace kvasir::model {

/// Finds stop strings in a stream of text pieces, also where one spans pieces, and holds back what
/// may yet become one. What comes out is whole characters when pieces (StreamDecoder) and stop
/// strings are. One thread at a time.
class StopStrings {
 public:
  /// Empty strings are ignored.
  explicit StopStrings(std::vector<std::string> stops);

  /// Adds `piece`; returns the text that is now certain to belong to no stop string.
  std::string Push(std::string_view piece);
  /// The end of generation: what was held back.
  std::string Finish();
  /// Whether a stop string was met. It and all text behind it were dropped.
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_STOP_STRINGS_H_
