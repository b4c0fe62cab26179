// POST /v1/recall.
#include <string>

#include "http/fields.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/routes/routes.h"

namespace kvasir::http {

Answer PostRecall(Call& call) {
  RecallRequest request;
  std::string space;
  Fields fields(call.body);
  fields.Get("space", space);
  ReadFields(fields, request);
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  const CallOptions options{.progress = {}, .stop = call.request.gone};
  auto result = call.memory->Recall(request, options);
  if (IsUnwrittenSpace(result.status(), space)) result = RecallResult{};
  if (!result.ok()) return result.status();
  return JsonResponse(ToJson(*result));
}

}  // namespace kvasir::http
