// The stable JSON of every answer; scripts rely on each field, tests pin them.
#ifndef SDK_CLI_RENDER_H_
#define SDK_CLI_RENDER_H_

#include <string>

#include "kvasir/requests.h"
#include "sdk/cli/json.h"

namespace kvasir::cli {

Json ToJson(const Span& span);
Json ToJson(const Provenance& provenance);
Json ToJson(const Message& message);
Json ToJson(const Metadata& metadata);
Json ToJson(const MemoryRecord& record);
Json ToJson(const RememberReceipt& receipt);
Json ToJson(const LayerScore& score);
Json ToJson(const Hit& hit);
Json ToJson(const RecallResult& result);
Json ToJson(const Citation& citation);
Json ToJson(const HopTrace& hop);
Json ToJson(const AskEvent& event);
Json ToJson(const AskResult& result);
Json ToJson(const ForgetReceipt& receipt);
Json ToJson(const SpaceInfo& space);
Json ToJson(const Stats& stats);
Json ToJson(const VerifyReport& report);
/// {"code","message"}.
Json ToJson(const Status& status);

std::string_view Name(RememberOutcome outcome);
std::string_view Name(Trust trust);

}  // namespace kvasir::cli

#endif  // SDK_CLI_RENDER_H_
