// The table of bad input: what is said, and with which exit code.
#ifndef TESTS_CLI_BAD_INPUT_CASES_H_
#define TESTS_CLI_BAD_INPUT_CASES_H_

#include <ostream>
#include <string>
#include <vector>

#include "tests/cli/process.h"

namespace kvasir::cli {

struct BadInput {
  std::string name;
  /// Run in a folder where `store` holds the memory `kept`.
  Invocation invocation;
  int exit_code = 0;
  std::string error;  ///< Regular expression that the one line on standard error holds.
  void (*prepare)(const Place& place) = nullptr;
};

/// What a failing test calls the row.
inline void PrintTo(const BadInput& row, std::ostream* out) { *out << row.name; }

std::vector<BadInput> BadInputCases();

}  // namespace kvasir::cli

#endif  // TESTS_CLI_BAD_INPUT_CASES_H_
