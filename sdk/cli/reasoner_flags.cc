#include "sdk/cli/reasoner_flags.h"

#include "sdk/cli/command.h"

namespace kvasir::cli {

void AddReasonerOptions(ReasonerFlags* flags, std::vector<Option>* options) {
  options->push_back({"reasoner", "URL", "OpenAI-compatible endpoint instead of the local model",
                      ToText(&flags->url)});
  options->push_back({"reasoner-model", "NAME", "model to ask for there", ToText(&flags->model)});
  options->push_back(
      {"reasoner-key-file", "FILE", "its first line is the key", ToText(&flags->key_file)});
}

}  // namespace kvasir::cli
