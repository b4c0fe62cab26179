// POST /v1/ask: an answer as one object, or as a stream of events while it is made.
#include <string>
#include <utility>

#include "http/event_stream.h"
#include "http/fields.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

struct Wish {
  AskRequest request;
  bool stream = false;
};

Result<Wish> ReadAsk(const Call& call) {
  Wish wish;
  std::string space;
  Fields fields(call.body);
  fields.Get("space", space);
  fields.Get("stream", wish.stream);
  ReadFields(fields, wish.request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(wish.request.space, call.Space(space));
  const auto accept = call.request.head.Header("accept").value_or("");
  if (accept.find("text/event-stream") != std::string_view::npos) wish.stream = true;
  return wish;
}

void SendEvent(const EventStream::Send& send, const AskEvent& event) {
  switch (event.kind) {
    case AskEventKind::kHop:
      return send("hop", {{"hop", event.hop}, {"ids", event.ids}});
    case AskEventKind::kToken:
      return send("token", {{"text", event.text}});
    case AskEventKind::kCitation:
      return send("citation", {{"ids", event.ids}});
  }
}

/// Events hop, token and citation as they happen; then done with the whole answer, or error.
void Stream(Memory& memory, AskRequest request, const std::string& request_id,
            const EventStream::Send& send, std::stop_token stop) {
  request.on_event = [&send](const AskEvent& event) { SendEvent(send, event); };
  const auto result = memory.Ask(request, {.progress = {}, .stop = std::move(stop)});
  if (result.ok()) return send("done", ToJson(*result));
  const Problem problem = ProblemOf(result.status());
  send("error", {{"code", problem.code},
                 {"detail", problem.detail},
                 {"status", problem.status},
                 {"retryable", problem.retryable},
                 {"request_id", request_id}});
}

}  // namespace

Answer PostAsk(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(Wish wish, ReadAsk(call));
  if (!wish.stream) {
    const CallOptions options{.progress = {}, .stop = call.request.gone};
    KVASIR_ASSIGN_OR_RETURN(const AskResult result, call.memory->Ask(wish.request, options));
    return JsonResponse(ToJson(result));
  }
  Response response;
  response.content_type = "text/event-stream";
  response.headers.push_back({"X-Accel-Buffering", "no"});  // nginx would hold the tokens back.
  response.stream = [memory = call.memory, request = std::move(wish.request), id = call.request.id,
                     gone = call.request.gone, ping = call.ping_interval](ResponseSink& sink) {
    EventStream::Run(
        sink,
        [&](const EventStream::Send& send, std::stop_token stop) {
          Stream(*memory, request, id, send, std::move(stop));
        },
        gone, ping);
  };
  return response;
}

}  // namespace kvasir::http
