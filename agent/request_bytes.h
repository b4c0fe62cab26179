// A remember request as bytes, by which a repeated idempotency key is known to mean the same.
#ifndef KVASIR_AGENT_REQUEST_BYTES_H_
#define KVASIR_AGENT_REQUEST_BYTES_H_

#include <string>

#include "kvasir/requests.h"

namespace kvasir::agent {

/// Equal exactly if every field but space and idempotency key is. Never stored; cost: one copy.
std::string RequestBytes(const RememberRequest& request);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_REQUEST_BYTES_H_
