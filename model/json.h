// The one door to the JSON library for model files: hostile text in, checked values out. Included
// by .cc files only.
#ifndef KVASIR_MODEL_JSON_H_
#define KVASIR_MODEL_JSON_H_

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::model {

inline constexpr int kMaxJsonDepth = 64;

/// kCorruption with `source` in front for text that is not JSON, is not UTF-8, nests deeper than
/// kMaxJsonDepth, or names a member twice.
Result<nlohmann::json> ParseJson(std::string_view text, std::string_view source);

/// The whole of a small file; kCorruption past `max_bytes`.
Result<std::string> ReadTextFile(const std::filesystem::path& path, size_t max_bytes);

/// The member of an object, or null when there is none, it is JSON null, or `object` is none.
const nlohmann::json* Member(const nlohmann::json& object, std::string_view key);

/// The name between double quotes, for errors.
std::string Quoted(std::string_view name);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_JSON_H_
