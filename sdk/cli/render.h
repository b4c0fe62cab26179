// The stable JSON of every answer; scripts rely on each field, tests pin them.
#ifndef SDK_CLI_RENDER_H_
#define SDK_CLI_RENDER_H_

#include "http/rendering.h"
#include "kvasir/requests.h"
#include "sdk/cli/json.h"

namespace kvasir::cli {

using http::Name;

/// See Rendering for what there is, beside the following.
template <typename T>
Json ToJson(const T& value) {
  return http::Rendering<Json>::Of(value);
}
Json ToJson(const MemoryRecord& record);
Json ToJson(const AskEvent& event);
Json ToJson(const Stats& stats);
Json ToJson(const VerifyReport& report);
/// {"code","message"}.
Json ToJson(const Status& status);

}  // namespace kvasir::cli

#endif  // SDK_CLI_RENDER_H_
