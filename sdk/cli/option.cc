#include "sdk/cli/option.h"

#include <array>
#include <string_view>
#include <utility>

namespace kvasir::cli {
namespace {

Result<bool> ParseSwitch(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off" || text.empty()) return false;
  return InvalidArgument(Format("'{}' is neither true nor false", text));
}

/// An assigner from a parser of the public API that gives Result<T>.
template <typename T, typename Parse>
Assign Parsed(std::optional<T>* target, Parse parse) {
  return [target, parse](const std::string& text) -> Status {
    KVASIR_ASSIGN_OR_RETURN(*target, parse(text));
    return Status::Ok();
  };
}

}  // namespace

Assign ToText(std::string* target) {
  return [target](const std::string& text) {
    *target = text;
    return Status::Ok();
  };
}

Assign ToText(std::optional<std::string>* target) {
  return [target](const std::string& text) {
    *target = text;
    return Status::Ok();
  };
}

Assign ToTexts(std::vector<std::string>* target) {
  return [target](const std::string& text) {
    target->push_back(text);
    return Status::Ok();
  };
}

Assign ToSwitch(bool* target) {
  return [target](const std::string& text) -> Status {
    KVASIR_ASSIGN_OR_RETURN(*target, ParseSwitch(text));
    return Status::Ok();
  };
}

Assign ToFlipped(bool* target) {
  return [target](const std::string& text) -> Status {
    KVASIR_ASSIGN_OR_RETURN(const bool off, ParseSwitch(text));
    *target = !off;
    return Status::Ok();
  };
}

Assign ToNumber(double* target, double least, double most) {
  return [=](const std::string& text) -> Status {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !(value >= least && value <= most)) {
      return InvalidArgument(Format("'{}' is not a number from {} to {}", text, least, most));
    }
    *target = value;
    return Status::Ok();
  };
}

Assign ToBytes(std::uint64_t* target) {
  return [target](const std::string& text) -> Status {
    constexpr std::array<std::pair<std::string_view, int>, 5> kUnits = {
        {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    for (const auto& [unit, shift] : kUnits) {
      if (error != std::errc{} || std::string_view(stop, end) != unit) continue;
      if (number > std::numeric_limits<std::uint64_t>::max() >> shift) break;
      *target = number << shift;
      return Status::Ok();
    }
    return InvalidArgument(
        Format("'{}' is not a size: whole bytes, or a whole number of KiB, MiB, GiB or TiB", text));
  };
}

Assign ToTime(std::optional<Timestamp>* target) { return Parsed(target, ParseTimestamp); }

Assign ToFilter(std::optional<Filter>* target) { return Parsed(target, ParseFilter); }

Assign ToMetadata(std::optional<Metadata>* target) { return Parsed(target, ParseMetadata); }

}  // namespace kvasir::cli
