// What operators' machines ask: alive, ready, metrics, the OpenAPI document, a backup.
#include <chrono>

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

Answer PostBackup(Call& call) {
  // Where to is the operator's word at the start, never the caller's: no request names a file.
  if (call.backup_folder.empty()) {
    return PermissionDenied("this server was started without --backup-folder");
  }
  const auto start = std::chrono::steady_clock::now();
  KVASIR_RETURN_IF_ERROR(
      call.memory->Backup(call.backup_folder, {.progress = {}, .stop = call.request.gone}));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  return JsonResponse({{"verified", true}, {"took_ms", took.count()}}, 201);
}

}  // namespace kvasir::http
