#include "sdk/cli/memory_row.h"

#include <array>
#include <optional>
#include <utility>

#include "kvasir/filter.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"

namespace kvasir::cli {
namespace {

// `export` writes them for people; they cannot be set.
constexpr std::array<std::string_view, 8> kDerived = {
    "number", "version", "content_hash", "etag", "created_at", "updated_at", "segments", "tokens"};

Status TakeText(const Json& value, std::string_view field, std::string* target) {
  if (!value.is_string()) return InvalidArgument(Format("\"{}\" is not a string", field));
  *target = value.get<std::string>();
  return Status::Ok();
}

Status TakeTime(const Json& value, std::string_view field, std::optional<Timestamp>* target) {
  if (value.is_null()) return Status::Ok();
  std::string text;
  KVASIR_RETURN_IF_ERROR(TakeText(value, field, &text));
  auto time = ParseTimestamp(text);
  if (!time.ok()) return time.status().WithContext(Format("\"{}\"", field));
  *target = *time;
  return Status::Ok();
}

Status TakeMessage(const Json& value, Message* message) {
  if (!value.is_object()) return InvalidArgument("\"messages\" holds something other than objects");
  for (const auto& [field, part] : value.items()) {
    if (field == "role") {
      KVASIR_RETURN_IF_ERROR(TakeText(part, field, &message->role));
    } else if (field == "content") {
      KVASIR_RETURN_IF_ERROR(TakeText(part, field, &message->content));
    } else if (field == "name" || field == "speaker") {
      KVASIR_RETURN_IF_ERROR(TakeText(part, field, &message->name));
    } else if (field == "time" || field == "timestamp") {
      KVASIR_RETURN_IF_ERROR(TakeTime(part, field, &message->time));
    }
  }
  return Status::Ok();
}

Status TakeMessages(const Json& value, std::vector<Message>* messages) {
  if (!value.is_array()) return InvalidArgument("\"messages\" is not a list");
  for (const Json& item : value) {
    KVASIR_RETURN_IF_ERROR(TakeMessage(item, &messages->emplace_back()));
  }
  return Status::Ok();
}

Status TakeProvenance(const Json& value, Provenance* provenance) {
  if (!value.is_object()) return InvalidArgument("\"provenance\" is not an object");
  if (value.contains("source")) {
    KVASIR_RETURN_IF_ERROR(TakeText(value["source"], "provenance.source", &provenance->source));
  }
  if (!value.contains("trust")) return Status::Ok();
  std::string trust;
  KVASIR_RETURN_IF_ERROR(TakeText(value["trust"], "provenance.trust", &trust));
  // A file may lower the trust that its reader has, never raise it to the operator's.
  if (trust == "untrusted") provenance->trust = Trust::kUntrusted;
  return Status::Ok();
}

bool FitsMetadata(const Json& value) {
  if (!value.is_array()) return value.is_primitive();
  for (const Json& item : value) {
    if (!item.is_string()) return false;
  }
  return true;
}

class RowReader {
 public:
  explicit RowReader(MemoryRow* row) : row_(row) {}

  Status Read(const Json& object) {
    for (const auto& [field, value] : object.items()) {
      KVASIR_RETURN_IF_ERROR(ReadField(field, value));
    }
    RememberRequest& request = row_->request;
    if (!object.contains("text") && request.messages.empty()) {
      return InvalidArgument("neither \"text\" nor \"messages\" is there");
    }
    if (unknown_.empty()) return Status::Ok();
    KVASIR_ASSIGN_OR_RETURN(Metadata extra, ParseMetadata(Dump(unknown_)));
    request.metadata.merge(extra);
    return Status::Ok();
  }

 private:
  Status ReadField(const std::string& field, const Json& value) {
    RememberRequest& request = row_->request;
    const std::array<std::pair<std::string_view, std::string*>, 8> texts = {{
        {"id", &request.id},
        {"text", &request.text},
        {"title", &request.title},
        {"space", &request.space},
        {"session", &request.session},
        {"user_id", &request.user_id},
        {"agent_id", &request.agent_id},
        {"source", &request.provenance.source},
    }};
    for (const auto& [name, target] : texts) {
      if (field == name) return TakeText(value, field, target);
    }
    if (field == "messages") return TakeMessages(value, &request.messages);
    if (field == "provenance") return TakeProvenance(value, &request.provenance);
    if (field == "expires_at") return TakeTime(value, field, &request.expires_at);
    if (field == "valid_from") return TakeTime(value, field, &request.valid_from);
    if (field == "valid_to") return TakeTime(value, field, &request.valid_to);
    if (field == "metadata") {
      KVASIR_ASSIGN_OR_RETURN(request.metadata, ParseMetadata(Dump(value)));
      return Status::Ok();
    }
    for (const std::string_view derived : kDerived) {
      if (field == derived) return Status::Ok();
    }
    if (FitsMetadata(value)) {
      unknown_[field] = value;
    } else {
      ++row_->left_out;
    }
    return Status::Ok();
  }

  MemoryRow* row_;
  Json unknown_ = Json::object();
};

}  // namespace

Result<MemoryRow> ParseMemoryRow(std::string_view line, const RememberRequest& defaults) {
  KVASIR_ASSIGN_OR_RETURN(const Json object, ParseJson(line));
  if (!object.is_object()) return InvalidArgument("not a JSON object");
  MemoryRow row{defaults, 0};
  KVASIR_RETURN_IF_ERROR(RowReader(&row).Read(object));
  return row;
}

bool LooksLikeMemoryRow(std::string_view line) {
  if (!line.starts_with('{')) return false;
  const auto parsed = ParseJson(line);
  return parsed.ok() && parsed->is_object() &&
         (parsed->contains("text") || parsed->contains("messages"));
}

}  // namespace kvasir::cli
