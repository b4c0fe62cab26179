// Where models lie, and how the default one gets there.
#ifndef SDK_CLI_MODEL_CACHE_H_
#define SDK_CLI_MODEL_CACHE_H_

#include <filesystem>
#include <string_view>

#include "kvasir/status.h"
#include "sdk/cli/host.h"

namespace kvasir::cli {

inline constexpr std::string_view kDefaultModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// ~/.cache/kvasir/models.
std::filesystem::path ModelFolder(const Host& host);

/// Runs `fetch-model`, the script that the quickstart uses too: it lies in ../libexec/kvasir, seen
/// from the executable. Its words go to standard error; the file appears only after its SHA-256 was
/// right. Errors carry the script's exit code: kUnavailable, kNoSpace, kCorruption, kCancelled.
Status FetchDefaultModel(const Host& host);

}  // namespace kvasir::cli

#endif  // SDK_CLI_MODEL_CACHE_H_
