#include "sdk/cli/render.h"

#include "kvasir/filter.h"

namespace kvasir::cli {
namespace {

/// A list of each item's JSON.
template <typename T>
Json ListOf(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return list;
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json TimeOrNull(const std::optional<Timestamp>& time) {
  return time ? Json(FormatTimestamp(*time)) : Json();
}

}  // namespace

std::string_view Name(RememberOutcome outcome) {
  switch (outcome) {
    case RememberOutcome::kCreated:
      return "created";
    case RememberOutcome::kUpdated:
      return "updated";
    case RememberOutcome::kUnchanged:
      return "unchanged";
  }
  return "unknown";
}

std::string_view Name(Trust trust) {
  switch (trust) {
    case Trust::kUntrusted:
      return "untrusted";
    case Trust::kUser:
      return "user";
    case Trust::kOperator:
      return "operator";
  }
  return "unknown";
}

Json ToJson(const Span& span) { return {{"begin", span.begin}, {"end", span.end}}; }

Json ToJson(const Provenance& provenance) {
  return {{"channel", provenance.channel},
          {"source", provenance.source},
          {"trust", Name(provenance.trust)}};
}

Json ToJson(const Metadata& metadata) {
  return Json::parse(MetadataToJson(metadata), nullptr, /*allow_exceptions=*/false);
}

Json ToJson(const Message& message) {
  Json json = {{"role", message.role}, {"content", message.content}};
  if (!message.name.empty()) json["name"] = message.name;
  if (message.time) json["time"] = FormatTimestamp(*message.time);
  return json;
}

Json ToJson(const LayerScore& score) {
  return {{"layer", score.layer}, {"score", score.score}, {"chunk", score.chunk}};
}

Json ToJson(const HopTrace& hop) { return {{"ids", hop.ids}, {"scores", hop.scores}}; }

Json ToJson(const SpaceInfo& space) {
  return {{"name", space.name},
          {"memories", space.memories},
          {"segments", space.segments},
          {"tokens", space.tokens}};
}

Json ToJson(const MemoryRecord& record) {
  Json json = {{"id", record.id},           {"number", record.number},
               {"space", record.space},     {"session", record.session},
               {"user_id", record.user_id}, {"agent_id", record.agent_id},
               {"title", record.title}};
  // A conversation is given by its messages; its text is made from them.
  if (record.messages.empty()) {
    json["text"] = record.text;
  } else {
    json["messages"] = ListOf(record.messages);
  }
  json["metadata"] = ToJson(record.metadata);
  json["provenance"] = ToJson(record.provenance);
  json["version"] = record.version;
  json["content_hash"] = record.content_hash;
  json["created_at"] = FormatTimestamp(record.created_at);
  json["updated_at"] = FormatTimestamp(record.updated_at);
  json["expires_at"] = TimeOrNull(record.expires_at);
  json["valid_from"] = TimeOrNull(record.valid_from);
  json["valid_to"] = TimeOrNull(record.valid_to);
  json["segments"] = record.segments;
  json["tokens"] = record.tokens;
  return json;
}

Json ToJson(const RememberReceipt& receipt) {
  return {{"id", receipt.id},
          {"number", receipt.number},
          {"version", receipt.version},
          {"outcome", Name(receipt.outcome)},
          {"segments", receipt.segments},
          {"tokens", receipt.tokens},
          {"content_hash", receipt.content_hash}};
}

Json ToJson(const Hit& hit) {
  Json json = {{"id", hit.id},
               {"number", hit.number},
               {"version", hit.version},
               {"title", hit.title},
               {"text", hit.text},
               {"score", hit.score},
               {"latent", OrNull(hit.latent)},
               {"lexical", OrNull(hit.lexical)},
               {"span", ToJson(hit.span)},
               {"segment", hit.segment},
               {"hop", hit.hop},
               {"session", hit.session},
               {"metadata", ToJson(hit.metadata)},
               {"provenance", ToJson(hit.provenance)},
               {"created_at", FormatTimestamp(hit.created_at)}};
  if (!hit.layers.empty()) json["layers"] = ListOf(hit.layers);
  return json;
}

Json ToJson(const RecallResult& result) {
  return {{"hits", ListOf(result.hits)},
          {"candidates", result.candidates},
          {"took_ms", static_cast<double>(result.took.count()) / 1000.0}};
}

Json ToJson(const Citation& citation) {
  return {{"id", citation.id},
          {"number", citation.number},
          {"title", citation.title},
          {"span", ToJson(citation.span)},
          {"text", citation.text}};
}

Json ToJson(const AskEvent& event) {
  switch (event.kind) {
    case AskEventKind::kHop:
      return {{"event", "hop"}, {"hop", event.hop}, {"ids", event.ids}};
    case AskEventKind::kToken:
      return {{"event", "token"}, {"text", event.text}};
    case AskEventKind::kCitation:
      return {{"event", "citation"}, {"ids", event.ids}};
  }
  return {};
}

Json ToJson(const AskResult& result) {
  return {{"answer", result.text},           {"citations", ListOf(result.citations)},
          {"hops", ListOf(result.hops)},     {"prompt_tokens", result.prompt_tokens},
          {"new_tokens", result.new_tokens}, {"reasoner", result.reasoner}};
}

Json ToJson(const ForgetReceipt& receipt) {
  return {{"memories", receipt.memories}, {"segments", receipt.segments},
          {"versions", receipt.versions}, {"physical", receipt.physical},
          {"ids", receipt.ids},           {"not_reached", receipt.not_reached}};
}

Json ToJson(const Stats& stats) {
  return {{"spaces", ListOf(stats.spaces)},
          {"disk_bytes", stats.disk_bytes},
          {"index_bytes", stats.index_bytes},
          {"commits", stats.commits},
          {"model", stats.model},
          {"fingerprint", stats.fingerprint},
          {"backend", stats.backend}};
}

Json ToJson(const VerifyReport& report) {
  return {{"memories", report.memories},
          {"segments", report.segments},
          {"commits", report.commits},
          {"problems", report.problems}};
}

Json ToJson(const Status& status) {
  return {{"code", StatusCodeName(status.code())}, {"message", status.message()}};
}

}  // namespace kvasir::cli
