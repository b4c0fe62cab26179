#include "sdk/src/json_text.h"

#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kvasir::sdk {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;  // Copying or dumping 100 000 levels overflows the stack.

// nlohmann turns integers beyond 64 bits into doubles silently; the literal tells them apart.
Status CheckIntegers(std::string_view text, std::string_view what) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c != '-' && (c < '0' || c > '9')) continue;
    const std::size_t end = std::min(text.find_first_not_of("+-.eE0123456789", i), text.size());
    const std::string_view number = text.substr(i, end - i);
    std::int64_t value = 0;
    if (number.find_first_of(".eE") == std::string_view::npos &&
        std::from_chars(number.data(), number.data() + number.size(), value).ec ==
            std::errc::result_out_of_range) {
      return InvalidArgument(std::string(what) + ": the integer at byte " + std::to_string(i) +
                             " needs more than 64 bits");
    }
    i = end - 1;
  }
  return Status::Ok();
}

// Watches the parser: depth, and keys that an object has already.
class Watch {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) problem_ = "nested deeper than 64 levels";
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.empty()) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) problem_ = "key \"" + key + "\" is there twice";
    }
    return problem_.empty();
  }
  const std::string& problem() const { return problem_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string problem_;
};

}  // namespace

Result<json> ParseJson(std::string_view text, std::string_view what) {
  KVASIR_RETURN_IF_ERROR(CheckIntegers(text, what));
  Watch watch;
  try {
    json parsed = json::parse(text.begin(), text.end(), std::ref(watch));
    if (!watch.problem().empty()) {
      return InvalidArgument(std::string(what) + ": " + watch.problem());
    }
    return parsed;
  } catch (const json::parse_error& error) {
    return InvalidArgument(std::string(what) + ": not valid JSON at byte " +
                           std::to_string(error.byte));
  } catch (const json::exception& error) {  // A number no double can hold.
    return InvalidArgument(std::string(what) + ": " + error.what());
  }
}

Result<MetadataValue> ToMetadataValue(const json& value, const std::string& path) {
  switch (value.type()) {
    case json::value_t::null:
      return MetadataValue(nullptr);
    case json::value_t::boolean:
      return MetadataValue(value.get<bool>());
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return MetadataValue(value.get<std::int64_t>());
    case json::value_t::number_float:
      return MetadataValue(value.get<double>());
    case json::value_t::string:
      return MetadataValue(value.get<std::string>());
    case json::value_t::array: {
      std::vector<std::string> strings;
      for (const json& element : value) {
        if (!element.is_string()) {
          return InvalidArgument(path + ": a list may hold strings only, this one holds a " +
                                 element.type_name());
        }
        strings.push_back(element.get<std::string>());
      }
      return MetadataValue(std::move(strings));
    }
    default:
      return InvalidArgument(path +
                             ": a value is null, true, false, a number, a string or a list "
                             "of strings, not an object");
  }
}

json FromMetadataValue(const MetadataValue& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace kvasir::sdk
