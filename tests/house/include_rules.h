// Who may include whom: the table of docs/architecture.md as data.
#ifndef TESTS_HOUSE_INCLUDE_RULES_H_
#define TESTS_HOUSE_INCLUDE_RULES_H_

#include <filesystem>
#include <string>
#include <vector>

namespace kvasir::house {

struct Include {
  std::string file;    ///< From the root of the tree: "storage/store.cc".
  std::string target;  ///< As written: "storage/store.h" or "rocksdb/db.h".
  bool angled = false;
  int line = 0;
};

/// Every #include of the tree's C++ and CUDA sources outside tests, in order of file and line.
std::vector<Include> IncludesOf(const std::filesystem::path& root);

/// Empty, or what is wrong with `include`.
std::string Complaint(const Include& include);

}  // namespace kvasir::house

#endif  // TESTS_HOUSE_INCLUDE_RULES_H_
