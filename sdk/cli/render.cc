#include "sdk/cli/render.h"

namespace kvasir::cli {

Json ToJson(const MemoryRecord& record) {
  return http::Rendering<Json>::Of(record, http::RecordText::kMessagesInstead);
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

Json ToJson(const Stats& stats) {
  return {{"spaces", http::Rendering<Json>::ListOf(stats.spaces)},
          {"disk_bytes", stats.disk_bytes},
          {"index_bytes", stats.index_bytes},
          {"commits", stats.commits},
          {"model", stats.model},
          {"fingerprint", stats.fingerprint},
          {"backend", stats.backend},
          {"work", http::Rendering<Json>::WorkOf(stats)},
          {"kv_cache", http::Rendering<Json>::Of(stats.kv_cache)},
          {"router_cache", http::Rendering<Json>::Of(stats.router_cache)}};
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
