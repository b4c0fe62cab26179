// The flags by which `ask`, `serve` and `mcp` let somebody else's model answer.
#ifndef SDK_CLI_REASONER_FLAGS_H_
#define SDK_CLI_REASONER_FLAGS_H_

#include <string>
#include <vector>

#include "sdk/cli/option.h"

namespace kvasir::cli {

struct ReasonerFlags {
  std::string url;  ///< Empty: the local model.
  std::string model;
  std::string key_file;
};

/// `flags` outlives the options.
void AddReasonerOptions(ReasonerFlags* flags, std::vector<Option>* options);

}  // namespace kvasir::cli

#endif  // SDK_CLI_REASONER_FLAGS_H_
