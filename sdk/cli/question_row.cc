#include "sdk/cli/question_row.h"

#include <utility>

#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/line_reader.h"

namespace kvasir::cli {
namespace {

Result<QuestionRow> ParseQuestion(std::string_view line) {
  KVASIR_ASSIGN_OR_RETURN(const Json object, ParseJson(line));
  if (!object.is_object() || !object.contains("question") || !object["question"].is_string()) {
    return InvalidArgument("not an object with a \"question\"");
  }
  QuestionRow row{object["question"].get<std::string>(), {}};
  if (!object.contains("positives") || !object["positives"].is_array()) {
    return InvalidArgument("\"positives\" is not a list");
  }
  for (const Json& positive : object["positives"]) {
    if (!positive.is_object() || !positive.contains("id") || !positive["id"].is_string()) {
      return InvalidArgument("\"positives\" holds something without a string \"id\"");
    }
    row.gold.insert(positive["id"].get<std::string>());
  }
  return row;
}

}  // namespace

Result<std::vector<QuestionRow>> ReadQuestions(std::istream* stream, const std::string& name,
                                               std::size_t limit) {
  std::vector<QuestionRow> rows;
  LineReader reader(stream);
  std::string line;
  while ((limit == 0 || rows.size() < limit) && reader.Next(&line)) {
    if (line.find_first_not_of(" \t") == std::string::npos && !reader.too_long()) continue;
    auto row =
        reader.too_long() ? InvalidArgument("the line is longer than 8 MiB") : ParseQuestion(line);
    if (!row.ok()) return row.status().WithContext(Format("{}:{}", name, reader.number()));
    if (!row->gold.empty()) rows.push_back(*std::move(row));
  }
  if (rows.empty()) return InvalidArgument(name + ": holds no question with positives");
  return rows;
}

}  // namespace kvasir::cli
