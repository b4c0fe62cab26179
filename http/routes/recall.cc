// POST /v1/recall.
#include <string>

#include "http/fields.h"
#include "http/render.h"
#include "http/routes/routes.h"

namespace kvasir::http {

Answer PostRecall(Call& call) {
  RecallRequest request;
  std::string space;
  Fields fields(call.body);
  fields.Get("query", request.query);
  fields.GetCount("top_k", request.top_k, 1, 1000);
  fields.Get("space", space);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.Get("threshold", request.threshold, 0.0, 1.0);
  fields.Get("as_of", request.as_of);
  fields.GetCount("hops", request.hops, 1, 4);
  fields.Get("latent", request.latent);
  fields.Get("lexical", request.lexical);
  fields.Get("explain", request.explain);
  if (request.query.empty()) fields.Fail("\"query\" is missing or empty");
  if (!request.latent && !request.lexical) {
    fields.Fail("at least one of \"latent\" and \"lexical\" must be true");
  }
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  KVASIR_ASSIGN_OR_RETURN(request.space, call.Space(space));
  const CallOptions options{.progress = {}, .stop = call.request.gone};
  auto result = call.memory->Recall(request, options);
  if (IsUnwrittenSpace(result.status(), space)) result = RecallResult{};
  if (!result.ok()) return result.status();
  return JsonResponse(ToJson(*result));
}

}  // namespace kvasir::http
