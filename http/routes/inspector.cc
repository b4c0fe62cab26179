// GET / and GET /inspector/{id}: the inspector page. No key: the files hold nobody's data.
#include "http/inspector.h"

#include <string>

#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

Answer Serve(const Call& call, std::string_view name) {
  for (const InspectorFile& file : InspectorFiles()) {
    if (file.name != name) continue;
    const std::string tag = "\"" + std::string(file.hash) + "\"";
    Response response;
    response.content_type = file.content_type;
    // Asked again each time, answered with 304 while nothing has changed: after an upgrade no page
    // runs with half of its old modules.
    response.headers = {{"ETag", tag},
                        {"Cache-Control", "no-cache"},
                        {"Content-Security-Policy", std::string(kInspectorPolicy)},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"}};
    if (call.request.head.Header("if-none-match").value_or("").find(tag) != std::string::npos) {
      response.status = 304;
    } else {
      response.body = file.bytes;
    }
    return response;
  }
  return NotFound("the inspector has no file of this name");
}

}  // namespace

Answer GetInspector(Call& call) { return Serve(call, "index.html"); }

Answer GetInspectorFile(Call& call) { return Serve(call, call.id); }

}  // namespace kvasir::http
