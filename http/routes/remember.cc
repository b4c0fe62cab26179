// POST /v1/memories, POST /v1/memories:batch, and the tasks that long batches become.
#include <string>
#include <utility>

#include "http/batch.h"
#include "http/render.h"
#include "http/routes/routes.h"
#include "http/tasks.h"

namespace kvasir::http {
namespace {

bool PrefersAsync(const RequestHead& head) {
  // RFC 7240; other preferences may stand beside it.
  return head.Header("prefer").value_or("").find("respond-async") != std::string_view::npos;
}

/// The body is taken whole and worked on after the answer.
Answer StartTask(Call& call, std::string idempotency_key) {
  auto place = call.tasks.Reserve(call.request.body->remaining());
  if (place.status().code() == StatusCode::kInvalidArgument) {
    Problem problem = ProblemOf(place.status());
    problem.status = 413;
    problem.code = "body_too_large";
    return problem;
  }
  if (!place.ok()) return place.status();
  KVASIR_ASSIGN_OR_RETURN(std::string lines, ReadAll(*call.request.body));
  const std::string id = call.tasks.Add(*std::move(place), *call.memory, call.principal,
                                        std::move(idempotency_key), std::move(lines));
  Response response = JsonResponse(*call.tasks.Find(call.principal, id), 202);
  response.headers.push_back({"Location", "/v1/tasks/" + id});
  response.headers.push_back({"Preference-Applied", "respond-async"});
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

Answer PostMemory(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(RememberRequest request, ReadRemember(call.principal, call.body));
  KVASIR_ASSIGN_OR_RETURN(request.idempotency_key, IdempotencyKey(call.request.head));
  KVASIR_ASSIGN_OR_RETURN(const RememberReceipt receipt, call.memory->Remember(request));
  const bool created = receipt.outcome == RememberOutcome::kCreated;
  Response response = JsonResponse(ToJson(receipt), created ? 201 : 200);
  response.headers.push_back(ETagOf(receipt.number, receipt.version));
  if (receipt.replayed) response.headers.push_back({"Idempotent-Replayed", "true"});
  return response;
}

Answer PostMemoryBatch(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(std::string key, IdempotencyKey(call.request.head));
  if (PrefersAsync(call.request.head)) return StartTask(call, std::move(key));
  const BatchContext context{.memory = *call.memory,
                             .principal = call.principal,
                             .idempotency_key = std::move(key),
                             .stop = call.request.gone,
                             .progress = {}};
  Response response;
  response.content_type = "application/x-ndjson";
  response.body = RememberLines(context, *call.request.body);
  return response;
}

Answer GetTask(Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const Json task, call.tasks.Find(call.principal, call.id));
  return JsonResponse(task);
}

Answer GetTaskResults(Call& call) {
  Response response;
  response.content_type = "application/x-ndjson";
  KVASIR_ASSIGN_OR_RETURN(response.body, call.tasks.Results(call.principal, call.id));
  return response;
}

}  // namespace kvasir::http
