// What operators' machines ask: alive, ready, metrics, the OpenAPI document.
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/routes/routes.h"

namespace kvasir::http {

Answer GetLive(Call&) { return JsonResponse({{"status", "ok"}}); }

Answer GetReady(Call& call) {
  if (call.ready.ok()) return JsonResponse({{"status", "ready"}});
  return call.ready;
}

Answer GetMetrics(Call& call) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = call.metrics.ToPrometheus();
  if (call.memory == nullptr) return response;
  KVASIR_ASSIGN_OR_RETURN(const Stats stats, call.memory->GetStats());
  response.body += StoreToPrometheus(stats);
  return response;
}

Answer GetOpenApi(Call&) {
  Response response;
  response.body = OpenApiDocument();
  return response;
}

}  // namespace kvasir::http
