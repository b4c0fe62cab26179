// A question with its gold memories, as `kvasir eval` reads them.
#ifndef SDK_CLI_QUESTION_ROW_H_
#define SDK_CLI_QUESTION_ROW_H_

#include <istream>
#include <set>
#include <string>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::cli {

struct QuestionRow {
  std::string question;
  std::set<std::string> gold;  ///< Ids of corpus rows.
};

/// Lines of {"question","positives":[{"id"}]}; other fields are ignored, rows without positives
/// left out. `limit` 0: all. Errors name the line of `name`.
Result<std::vector<QuestionRow>> ReadQuestions(std::istream* stream, const std::string& name,
                                               std::size_t limit);

}  // namespace kvasir::cli

#endif  // SDK_CLI_QUESTION_ROW_H_
