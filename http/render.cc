#include "http/render.h"

#include <optional>
#include <utility>

#include "kvasir/filter.h"

namespace kvasir::http {
namespace {

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

}  // namespace

Json ToJson(const Span& span) { return {{"begin", span.begin}, {"end", span.end}}; }

Json ToJson(const Provenance& provenance) {
  return {{"channel", provenance.channel},
          {"source", provenance.source},
          {"trust", Name(provenance.trust)}};
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

Json ToJson(const Metadata& metadata) {
  auto json = ParseJson(MetadataToJson(metadata));
  return json.ok() ? *std::move(json) : Json::object();
}

Json ToJson(MemoryRecord record, View view) {
  Json json = {{"id", record.id},
               {"number", record.number},
               {"space", record.space},
               {"session", record.session},
               {"user_id", record.user_id},
               {"agent_id", record.agent_id},
               {"title", record.title},
               {"metadata", ToJson(record.metadata)},
               {"provenance", ToJson(record.provenance)},
               {"version", record.version},
               {"content_hash", record.content_hash},
               {"created_at", FormatTimestamp(record.created_at)},
               {"updated_at", FormatTimestamp(record.updated_at)},
               {"expires_at", TimeOrNull(record.expires_at)},
               {"valid_from", TimeOrNull(record.valid_from)},
               {"valid_to", TimeOrNull(record.valid_to)},
               {"segments", record.segments},
               {"tokens", record.tokens}};
  if (view == View::kBasic) return json;
  json["text"] = std::move(record.text);
  if (!record.messages.empty()) json["messages"] = ListOf(record.messages);
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

Json ToJson(const SpaceInfo& space) {
  return {{"name", space.name},
          {"memories", space.memories},
          {"segments", space.segments},
          {"tokens", space.tokens}};
}

Json ToJson(const SessionInfo& session) {
  return {{"name", session.name},
          {"memories", session.memories},
          {"last_write", FormatTimestamp(session.last_write)}};
}

}  // namespace kvasir::http
