// Forget: off the store, the router index and the cache, logically at once, then physically.
#ifndef KVASIR_AGENT_FORGET_H_
#define KVASIR_AGENT_FORGET_H_

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::Forget. Works without a model. Ids that are not there are passed over, so that a
/// call may be repeated after a crash; kNotFound when none of them is there.
Result<ForgetReceipt> Forget(Bank& bank, const ForgetRequest& request, const CallOptions& options);

/// Erases what has expired. With `defer` the bytes stay until Compact.
Result<storage::EraseReceipt> PurgeExpired(Bank& bank, bool defer, const CallOptions& options);

/// See Memory::Compact.
Result<ForgetReceipt> Compact(Bank& bank, const CallOptions& options);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_FORGET_H_
