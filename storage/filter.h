// A kvasir::Filter made ready to be asked of many records. Semantics: kvasir/types.h.
#ifndef STORAGE_FILTER_H_
#define STORAGE_FILTER_H_

#include <memory>
#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir::storage {

/// Unicode simple case folding, code point by code point (the length in code points stays).
std::string FoldCase(std::string_view text);

/// Checked once, then asked from any thread. Needs a record's head only (no text).
class CompiledFilter {
 public:
  /// kInvalidArgument names the offending node: too deep, too many, wrong number of values, a time
  /// field compared with something that is not an RFC 3339 time.
  static Result<CompiledFilter> Compile(const Filter& filter);

  bool Matches(const MemoryRecord& record) const;

 private:
  struct Node;
  explicit CompiledFilter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  static Result<std::shared_ptr<const Node>> CompileNode(const Filter& filter, int depth,
                                                         int* nodes);
  static bool NodeMatches(const Node& node, const MemoryRecord& record);
  std::shared_ptr<const Node> root_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_FILTER_H_
