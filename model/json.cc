#include "model/json.h"

#include <algorithm>
#include <exception>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/mapped_file.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

/// Deepest nesting of brackets outside strings. Runs before the parser, so that no recursion of the
/// library ever sees a deep document; text that is no JSON may give any number.
int Depth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

/// Sees every parse event and remembers the first member that an object names twice: the library
/// would keep the last one silently.
class DuplicateWatch {
 public:
  bool operator()(int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open_.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!open_.back().insert(name).second && duplicate_.empty()) duplicate_ = name;
    }
    return true;
  }
  const std::string& duplicate() const { return duplicate_; }

 private:
  std::vector<std::unordered_set<std::string>> open_;
  std::string duplicate_;
};

}  // namespace

Result<json> ParseJson(std::string_view text, std::string_view source) {
  const std::string where(source);
  if (Depth(text) > kMaxJsonDepth) {
    return Corruption(where + ": JSON nests deeper than " + std::to_string(kMaxJsonDepth));
  }
  DuplicateWatch watch;
  try {
    json parsed = json::parse(text, std::ref(watch));
    if (!watch.duplicate().empty()) {
      return Corruption(where + ": \"" + watch.duplicate() + "\" is there twice");
    }
    return parsed;
  } catch (const json::parse_error& error) {
    return Corruption(where + ": not JSON from byte " + std::to_string(error.byte) + " on");
  } catch (const std::exception& error) {
    return Corruption(where + ": not JSON: " + error.what());
  }
}

Result<std::string> ReadTextFile(const std::filesystem::path& path, size_t max_bytes) {
  KVASIR_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  if (file.bytes().size() > max_bytes) {
    return Corruption(path.string() + ": " + std::to_string(file.bytes().size()) +
                      " bytes, at most " + std::to_string(max_bytes) + " are expected");
  }
  return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
}

const json* Member(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  return quoted.append(name).append("\"");
}

}  // namespace kvasir::model
