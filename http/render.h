// The JSON of every answer: the same words as `kvasir --json` prints.
#ifndef HTTP_RENDER_H_
#define HTTP_RENDER_H_

#include <string_view>
#include <vector>

#include "http/json.h"
#include "kvasir/requests.h"

namespace kvasir::http {

enum class View { kBasic, kFull };

Json ToJson(const Span& span);
Json ToJson(const Provenance& provenance);
Json ToJson(const Message& message);
Json ToJson(const LayerScore& score);
Json ToJson(const HopTrace& hop);
Json ToJson(const Hit& hit);
/// Takes the record, because texts are long. kBasic leaves out text and messages.
Json ToJson(MemoryRecord record, View view = View::kFull);
Json ToJson(const RememberReceipt& receipt);
Json ToJson(const RecallResult& result);
Json ToJson(const Citation& citation);
Json ToJson(const AskResult& result);
Json ToJson(const ForgetReceipt& receipt);
Json ToJson(const SpaceInfo& space);
Json ToJson(const SessionInfo& session);
Json ToJson(const Metadata& metadata);

std::string_view Name(RememberOutcome outcome);

}  // namespace kvasir::http

#endif  // HTTP_RENDER_H_
