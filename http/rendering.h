// The fields of every answer, once, for whatever JSON it is written in: sorted trees here, in order
// of insertion for the command line.
#ifndef HTTP_RENDERING_H_
#define HTTP_RENDERING_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "kvasir/filter.h"
#include "kvasir/requests.h"

namespace kvasir::http {

std::string_view Name(RememberOutcome outcome);
std::string_view Name(Trust trust);

/// A conversation's text is made from its messages.
enum class RecordText : std::uint8_t { kNone, kBoth, kMessagesInstead };

/// `Json` is a class of nlohmann/json; this header does not need to know which.
template <typename Json>
struct Rendering {
  template <typename T>
  static Json ListOf(const std::vector<T>& items) {
    Json list = Json::array();
    for (const T& item : items) list.push_back(Of(item));
    return list;
  }
  template <typename T>
  static Json OrNull(const std::optional<T>& value) {
    return value ? Json(*value) : Json();
  }
  static Json OrNull(const std::optional<Timestamp>& time) {
    return time ? Json(FormatTimestamp(*time)) : Json();
  }

  static Json Of(const Span& span) { return {{"begin", span.begin}, {"end", span.end}}; }
  static Json Of(const Provenance& provenance) {
    return {{"channel", provenance.channel},
            {"source", provenance.source},
            {"trust", Name(provenance.trust)}};
  }
  static Json Of(const Metadata& metadata) {
    return Json::parse(MetadataToJson(metadata), nullptr, /*allow_exceptions=*/false);
  }
  static Json Of(const Message& message) {
    Json json = {{"role", message.role}, {"content", message.content}};
    if (!message.name.empty()) json["name"] = message.name;
    if (message.time) json["time"] = FormatTimestamp(*message.time);
    return json;
  }
  static Json Of(const LayerScore& score) {
    return {{"layer", score.layer}, {"score", score.score}, {"chunk", score.chunk}};
  }
  static Json Of(const Hit& hit) {
    Json json = {{"id", hit.id},
                 {"number", hit.number},
                 {"version", hit.version},
                 {"title", hit.title},
                 {"text", hit.text},
                 {"score", hit.score},
                 {"latent", OrNull(hit.latent)},
                 {"lexical", OrNull(hit.lexical)},
                 {"span", Of(hit.span)},
                 {"segment", hit.segment},
                 {"hop", hit.hop},
                 {"session", hit.session},
                 {"metadata", Of(hit.metadata)},
                 {"provenance", Of(hit.provenance)},
                 {"created_at", FormatTimestamp(hit.created_at)}};
    if (!hit.layers.empty()) json["layers"] = ListOf(hit.layers);
    return json;
  }
  static Json Of(const HopTrace& hop) {
    Json json = {{"ids", hop.ids}, {"scores", hop.scores}};
    if (!hop.hits.empty()) json["hits"] = ListOf(hop.hits);
    return json;
  }
  /// Takes the record, because texts are long.
  static Json Of(MemoryRecord record, RecordText text) {
    Json json = {{"id", record.id},           {"number", record.number},
                 {"space", record.space},     {"session", record.session},
                 {"user_id", record.user_id}, {"agent_id", record.agent_id},
                 {"title", record.title}};
    const bool has_messages = !record.messages.empty() && text != RecordText::kNone;
    if (text == RecordText::kBoth || (text == RecordText::kMessagesInstead && !has_messages)) {
      json["text"] = std::move(record.text);
    }
    if (has_messages) json["messages"] = ListOf(record.messages);
    json["metadata"] = Of(record.metadata);
    json["provenance"] = Of(record.provenance);
    json["version"] = record.version;
    json["content_hash"] = record.content_hash;
    json["etag"] = Etag(record.number, record.version);
    json["created_at"] = FormatTimestamp(record.created_at);
    json["updated_at"] = FormatTimestamp(record.updated_at);
    json["expires_at"] = OrNull(record.expires_at);
    json["valid_from"] = OrNull(record.valid_from);
    json["valid_to"] = OrNull(record.valid_to);
    json["segments"] = record.segments;
    json["tokens"] = record.tokens;
    return json;
  }
  static Json Of(const RememberReceipt& receipt) {
    Json json = {{"id", receipt.id},
                 {"number", receipt.number},
                 {"version", receipt.version},
                 {"outcome", Name(receipt.outcome)},
                 {"segments", receipt.segments},
                 {"tokens", receipt.tokens},
                 {"content_hash", receipt.content_hash},
                 {"etag", Etag(receipt.number, receipt.version)}};
    if (receipt.replayed) json["replayed"] = true;
    return json;
  }
  static Json Of(const RecallResult& result) {
    Json json = {{"hits", ListOf(result.hits)},
                 {"candidates", result.candidates},
                 {"took_ms", Milliseconds(result.took)}};
    if (!result.complete) json["complete"] = false;
    return json;
  }
  static Json Of(const Citation& citation) {
    return {{"id", citation.id},
            {"number", citation.number},
            {"title", citation.title},
            {"span", Of(citation.span)},
            {"text", citation.text}};
  }
  static Json Of(const AskResult& result) {
    return {{"answer", result.text},           {"citations", ListOf(result.citations)},
            {"hops", ListOf(result.hops)},     {"prompt_tokens", result.prompt_tokens},
            {"new_tokens", result.new_tokens}, {"reasoner", result.reasoner}};
  }
  static Json Of(const ForgetReceipt& receipt) {
    return {{"memories", receipt.memories}, {"segments", receipt.segments},
            {"versions", receipt.versions}, {"physical", receipt.physical},
            {"ids", receipt.ids},           {"not_reached", receipt.not_reached}};
  }
  static Json Of(const SpaceInfo& space) {
    return {{"name", space.name},
            {"memories", space.memories},
            {"segments", space.segments},
            {"tokens", space.tokens}};
  }
  static Json Of(const SessionInfo& session) {
    return {{"name", session.name},
            {"memories", session.memories},
            {"last_write", FormatTimestamp(session.last_write)}};
  }
  static Json Of(const Work& work) {
    return {{"calls", work.calls}, {"tokens", work.tokens}, {"ms", Milliseconds(work.took)}};
  }
  /// What the model did, by kind.
  static Json WorkOf(const Stats& stats) {
    return {{"encode", Of(stats.encode)},
            {"route", Of(stats.route)},
            {"prefill", Of(stats.prefill)},
            {"decode", Of(stats.decode)}};
  }
  static Json Of(const CacheUse& cache) {
    return {{"budget_bytes", cache.budget_bytes},
            {"used_bytes", cache.used_bytes},
            {"hits", cache.hits},
            {"misses", cache.misses},
            {"evictions", cache.evictions},
            {"prefetches", cache.prefetches},
            {"prefetches_used", cache.prefetches_used},
            {"prefetches_wasted", cache.prefetches_wasted}};
  }

 private:
  static double Milliseconds(std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / 1000.0;
  }
};

}  // namespace kvasir::http

#endif  // HTTP_RENDERING_H_
