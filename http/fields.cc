#include "http/fields.h"

#include <charconv>
#include <cmath>

#include "kvasir/filter.h"

namespace kvasir::http {
namespace {

std::string Quoted(std::string_view name) {
  std::string quoted(1, '"');
  return quoted.append(name).append(1, '"');
}

/// The whole of `text` as a number.
template <typename Number>
std::optional<Number> FromText(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

Fields::Fields(const Json& object) : object_(&object), texts_(false) {
  if (!object.is_object()) Fail("the body must be a JSON object");
}

Fields::Fields(const std::vector<std::pair<std::string, std::string>>& query)
    : from_query_(Json::object()), object_(&from_query_), texts_(true) {
  for (const auto& [name, value] : query) {
    if (from_query_.contains(name)) Fail("the query has " + Quoted(name) + " twice");
    from_query_[name] = value;
  }
}

void Fields::Fail(std::string message) {
  if (status_.ok()) status_ = InvalidArgument(std::move(message));
}

const Json* Fields::Find(std::string_view name) {
  known_.emplace(name);
  if (!object_->is_object()) return nullptr;
  const auto found = object_->find(name);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

bool Fields::Has(std::string_view name) { return Find(name) != nullptr; }

void Fields::Get(std::string_view name, std::string& target) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_string()) return Fail(Quoted(name) + " must be a string");
  target = value->get<std::string>();
}

void Fields::Get(std::string_view name, std::optional<std::string>& target) {
  if (!Has(name)) return;
  Get(name, target.emplace());
}

void Fields::Get(std::string_view name, bool& target) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (value->is_boolean()) {
    target = value->get<bool>();
  } else if (texts_ && (*value == "true" || *value == "false")) {
    target = *value == "true";
  } else {
    Fail(Quoted(name) + " must be true or false");
  }
}

void Fields::Get(std::string_view name, double& target, double least, double most) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  std::optional<double> number;
  if (value->is_number()) number = value->get<double>();
  if (texts_) number = FromText<double>(value->get_ref<const std::string&>());
  if (!number || !std::isfinite(*number) || *number < least || *number > most) {
    return Fail(Quoted(name) + " must be a number from " + Json(least).dump() + " to " +
                Json(most).dump());
  }
  target = *number;
}

std::optional<std::uint64_t> Fields::Count(std::string_view name, std::uint64_t least,
                                           std::uint64_t most) {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<std::uint64_t> number;
  if (value->is_number_unsigned()) number = value->get<std::uint64_t>();
  if (texts_) number = FromText<std::uint64_t>(value->get_ref<const std::string&>());
  if (number && *number >= least && *number <= most) return number;
  Fail(Quoted(name) + " must be a whole number from " + std::to_string(least) + " to " +
       std::to_string(most));
  return std::nullopt;
}

void Fields::Get(std::string_view name, std::optional<Timestamp>& target) {
  std::optional<std::string> text;
  Get(name, text);
  if (!text) return;
  const auto time = ParseTimestamp(*text);
  if (!time.ok()) return Fail(Quoted(name) + ": " + time.status().message());
  target = *time;
}

/// A field that holds an object: as it is, or parsed from a query's text.
std::optional<Json> Fields::Structure(std::string_view name) {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!texts_) return *value;
  auto parsed = ParseJson(value->get_ref<const std::string&>());
  if (parsed.ok()) return *std::move(parsed);
  Fail(Quoted(name) + ": " + parsed.status().message());
  return std::nullopt;
}

void Fields::Get(std::string_view name, std::optional<Filter>& target) {
  const auto value = Structure(name);
  if (!value) return;
  auto filter = ParseFilter(DumpJson(*value));
  if (!filter.ok()) return Fail(Quoted(name) + ": " + filter.status().message());
  target = *std::move(filter);
}

void Fields::Get(std::string_view name, Metadata& target) {
  const auto value = Structure(name);
  if (!value) return;
  auto metadata = ParseMetadata(DumpJson(*value));
  if (!metadata.ok()) return Fail(Quoted(name) + ": " + metadata.status().message());
  target = *std::move(metadata);
}

void Fields::Get(std::string_view name, std::optional<Metadata>& target) {
  if (Has(name)) Get(name, target.emplace());
}

void Fields::Get(std::string_view name, std::vector<std::string>& target) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  const std::string complaint = Quoted(name) + " must be a list of strings";
  if (!value->is_array()) return Fail(complaint);
  for (const Json& item : *value) {
    if (!item.is_string()) return Fail(complaint);
    target.push_back(item.get<std::string>());
  }
}

void Fields::Get(std::string_view name, std::vector<Message>& target) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_array()) return Fail(Quoted(name) + " must be a list of messages");
  for (const Json& item : *value) {
    Fields fields(item);
    Message& message = target.emplace_back();
    fields.Get("role", message.role);
    fields.Get("content", message.content);
    fields.Get("name", message.name);
    fields.Get("time", message.time);
    if (const Status status = fields.Finish(); !status.ok()) {
      return Fail(Quoted(name) + " " + std::to_string(target.size()) + ": " + status.message());
    }
  }
}

Status Fields::Finish() {
  if (!status_.ok() || !object_->is_object()) return status_;
  for (const auto& [name, value] : object_->items()) {
    if (!known_.contains(name))
      return InvalidArgument("there is no field " + Quoted(name) + " here");
  }
  return status_;
}

}  // namespace kvasir::http
